//! What a thread counts of the calls that it serves.

use super::histogram::{Durations, Histogram};
use crate::proto;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tonic::Code;

/// The methods that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Method {
    CheckDocument,
    BatchCheckDocuments,
    StreamCheckDocuments,
    GetStatus,
    /// Health, reflection, and what there is not.
    Other,
}

impl Method {
    pub(super) const ALL: [Self; 5] = [
        Self::CheckDocument,
        Self::BatchCheckDocuments,
        Self::StreamCheckDocuments,
        Self::GetStatus,
        Self::Other,
    ];

    /// Those that check documents.
    pub(super) const CHECKS: [Self; 3] = [
        Self::CheckDocument,
        Self::BatchCheckDocuments,
        Self::StreamCheckDocuments,
    ];

    /// The method of a request's path.
    pub(in crate::service) fn of(path: &str) -> Self {
        match path {
            "/sltd.v1.LookupService/CheckDocument" => Self::CheckDocument,
            "/sltd.v1.LookupService/BatchCheckDocuments" => Self::BatchCheckDocuments,
            "/sltd.v1.LookupService/StreamCheckDocuments" => Self::StreamCheckDocuments,
            "/sltd.v1.AdminService/GetStatus" => Self::GetStatus,
            _ => Self::Other,
        }
    }

    /// Its name in the metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CheckDocument => "CheckDocument",
            Self::BatchCheckDocuments => "BatchCheckDocuments",
            Self::StreamCheckDocuments => "StreamCheckDocuments",
            Self::GetStatus => "GetStatus",
            Self::Other => "other",
        }
    }
}

/// gRPC's status codes are 0 to 16.
pub(super) const CODES: usize = 17;
/// What comes of a document: the verdicts of the contract, and 0 for one that could not be checked.
pub(super) const VERDICTS: usize = 6;

const _: () = assert!(proto::Verdict::Refer as usize + 1 == VERDICTS);

/// A number that one thread raises and others read.
///
/// Not raised with `fetch_add`, which locks the cache line: no other thread writes it. Where one did,
/// counts would be lost and nothing else.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, more: u64) {
        let sum = self.0.load(Ordering::Relaxed).wrapping_add(more);
        self.0.store(sum, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
struct OfMethod {
    calls: [Count; CODES],
    documents: [Count; VERDICTS],
    durations: Histogram,
}

/// What one thread counts. Aligned so that no two threads' counts share a cache line, nor the pair of
/// lines that processors fetch together.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(in crate::service) struct Counters {
    methods: [OfMethod; Method::ALL.len()],
}

impl Counters {
    fn of(&self, method: Method) -> Option<&OfMethod> {
        self.methods.get(method as usize)
    }

    /// Counts a call from now on: as CANCELLED if nothing else is said of it, which is what it is when
    /// the caller goes away.
    pub(in crate::service) fn begin(&self, method: Method) -> Call<'_> {
        Call {
            counters: self,
            method,
            began: Instant::now(),
            counted: false,
        }
    }

    /// Counts a document, by what came of it.
    pub(in crate::service) fn document(&self, method: Method, verdict: proto::Verdict) {
        self.documents(method, verdict, 1);
    }

    /// Counts documents of which the same came.
    pub(in crate::service) fn documents(&self, method: Method, verdict: proto::Verdict, more: u64) {
        let of_method = self.of(method);
        if let Some(count) = of_method.and_then(|of| of.documents.get(verdict as usize)) {
            count.add(more);
        }
    }

    /// Counts how long an answer took.
    pub(in crate::service) fn duration(&self, method: Method, duration: Duration) {
        if let Some(of_method) = self.of(method) {
            of_method.durations.record(duration);
        }
    }

    fn call(&self, method: Method, code: Code) {
        let of_method = self.of(method);
        if let Some(count) = of_method.and_then(|of| of.calls.get(code as usize)) {
            count.add(1);
        }
    }
}

/// A call under way.
#[derive(Debug)]
pub(in crate::service) struct Call<'a> {
    counters: &'a Counters,
    method: Method,
    began: Instant,
    counted: bool,
}

impl Call<'_> {
    /// Counts the call, answered as a whole, and how long that took.
    pub(in crate::service) fn answered(mut self, code: Code) {
        self.counted = true;
        self.counters.call(self.method, code);
        self.counters.duration(self.method, self.began.elapsed());
    }

    /// Leaves it to the body of the answer to say how the call ends. `counters` are those that it began with.
    pub(in crate::service) fn goes_on(mut self, counters: &Arc<Counters>) -> BodyCall {
        self.counted = true;
        BodyCall {
            counters: Arc::clone(counters),
            method: self.method,
            code: None,
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.counted {
            self.counters.call(self.method, Code::Cancelled);
        }
    }
}

/// A call whose answer is being sent; counted when dropped, as CANCELLED if it has not come to its end.
#[derive(Debug)]
pub(in crate::service) struct BodyCall {
    counters: Arc<Counters>,
    method: Method,
    code: Option<Code>,
}

impl BodyCall {
    /// Says how it has ended.
    pub(in crate::service) fn ended(&mut self, code: Code) {
        self.code = Some(code);
    }
}

impl Drop for BodyCall {
    fn drop(&mut self) {
        let code = self.code.unwrap_or(Code::Cancelled);
        self.counters.call(self.method, code);
    }
}

/// What all threads have counted of one method.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Calls by status code.
    pub(super) calls: [u64; CODES],
    /// Documents by what came of them, as the contract's `Verdict`.
    pub(super) documents: [u64; VERDICTS],
    /// How long answers took.
    pub(super) durations: Durations,
}

impl Counted {
    pub(super) fn of(threads: &[Arc<Counters>], method: Method) -> Self {
        let mut sum = Self::default();
        for of_method in threads.iter().filter_map(|thread| thread.of(method)) {
            for (sum, count) in sum.calls.iter_mut().zip(&of_method.calls) {
                *sum += count.get();
            }
            for (sum, count) in sum.documents.iter_mut().zip(&of_method.documents) {
                *sum += count.get();
            }
            sum.durations.add(&of_method.durations);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_once_however_it_ends() {
        let threads = [Arc::new(Counters::default()), Arc::new(Counters::default())];
        let method = Method::CheckDocument;
        threads[0].begin(method).answered(Code::Ok);
        threads[1].begin(method).answered(Code::Ok);
        threads[1].begin(method).answered(Code::InvalidArgument);
        drop(threads[0].begin(method));
        drop(threads[0].begin(method).goes_on(&threads[0]));
        let mut body = threads[1].begin(method).goes_on(&threads[1]);
        body.ended(Code::DeadlineExceeded);
        drop(body);
        threads[0].begin(Method::Other).answered(Code::NotFound);
        let counted = Counted::of(&threads, method);
        let calls = |code: Code| counted.calls[code as usize];
        assert_eq!(calls(Code::Ok), 2);
        assert_eq!(calls(Code::InvalidArgument), 1);
        assert_eq!(calls(Code::Cancelled), 2);
        assert_eq!(calls(Code::DeadlineExceeded), 1);
        assert_eq!(counted.calls.iter().sum::<u64>(), 6);
        // Of those that are answered as a whole.
        assert_eq!(counted.durations.count(), 3);
        let others = Counted::of(&threads, Method::Other);
        assert_eq!(others.calls[Code::NotFound as usize], 1);
    }

    #[test]
    fn documents_are_counted_by_method_and_verdict() {
        let threads = [Arc::new(Counters::default()), Arc::new(Counters::default())];
        threads[0].document(Method::CheckDocument, proto::Verdict::Hit);
        threads[1].documents(
            Method::StreamCheckDocuments,
            proto::Verdict::NoRecord,
            8_192,
        );
        threads[1].document(Method::StreamCheckDocuments, proto::Verdict::Unspecified);
        let of = |method| Counted::of(&threads, method).documents;
        assert_eq!(of(Method::CheckDocument), [0, 0, 1, 0, 0, 0]);
        assert_eq!(of(Method::StreamCheckDocuments), [1, 8_192, 0, 0, 0, 0]);
        assert_eq!(of(Method::BatchCheckDocuments), [0; VERDICTS]);
    }

    #[test]
    fn counting_allocates_nothing() {
        let thread = Counters::default();
        let counted = allocation_counter::measure(|| {
            let call = thread.begin(Method::of("/sltd.v1.LookupService/CheckDocument"));
            thread.document(Method::CheckDocument, proto::Verdict::NoRecord);
            call.answered(Code::Ok);
        });
        assert_eq!(counted.count_total, 0);
    }

    #[test]
    fn every_method_has_its_place_and_path() {
        for (place, method) in Method::ALL.into_iter().enumerate() {
            assert_eq!(method as usize, place);
        }
        for method in Method::CHECKS {
            let path = format!("/sltd.v1.LookupService/{}", method.name());
            assert_eq!(Method::of(&path), method);
        }
        assert_eq!(
            Method::of("/sltd.v1.AdminService/GetStatus"),
            Method::GetStatus
        );
        assert_eq!(Method::of("/grpc.health.v1.Health/Check"), Method::Other);
    }
}

//! Contenders that take turns, so that what the machine does beside hits all of them.

use crate::Result;
use std::time::Instant;

/// Who answers the same questions as others: how many answers of a kind it must count, and how it does.
pub(crate) struct Contender<'c> {
    name: &'c str,
    expected: usize,
    answer: Box<dyn FnMut() -> Result<usize> + 'c>,
}

impl<'c> Contender<'c> {
    /// Of answers that can fail.
    pub(crate) fn fallible(
        name: &'c str,
        expected: usize,
        answer: impl FnMut() -> Result<usize> + 'c,
    ) -> Self {
        Self {
            name,
            expected,
            answer: Box::new(answer),
        }
    }

    /// Of answers that can't.
    pub(crate) fn new(
        name: &'c str,
        expected: usize,
        mut answer: impl FnMut() -> usize + 'c,
    ) -> Self {
        Self::fallible(name, expected, move || Ok(answer()))
    }
}

/// Nanoseconds a question, by contender and round. Who begins changes from round to round; a round before the first
/// one warms and is not counted.
///
/// # Errors
/// When a contender fails or counts something else than expected: then nothing that was measured means anything.
pub(crate) fn in_turns<const N: usize>(
    rounds: usize,
    questions: usize,
    mut contenders: [Contender<'_>; N],
) -> Result<[Vec<f64>; N]> {
    let mut times = [const { Vec::new() }; N];
    for round in 0..=rounds {
        for turn in 0..N {
            let index = (round + turn) % N;
            let (Some(contender), Some(times)) = (contenders.get_mut(index), times.get_mut(index))
            else {
                continue;
            };
            let started = Instant::now();
            let counted = (contender.answer)()?;
            let nanos = started.elapsed().as_nanos() as f64 / questions as f64;
            if counted != contender.expected {
                return Err(format!(
                    "{} counts {counted} where {} was expected",
                    contender.name, contender.expected
                )
                .into());
            }
            if round > 0 {
                times.push(nanos);
            }
        }
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn who_begins_changes_and_the_first_round_only_warms() -> Result<()> {
        let order = RefCell::new(String::new());
        let answer = |name: char| {
            order.borrow_mut().push(name);
            7
        };
        let [a, b] = in_turns(
            2,
            1,
            [
                Contender::new("a", 7, || answer('a')),
                Contender::new("b", 7, || answer('b')),
            ],
        )?;
        assert_eq!((a.len(), b.len()), (2, 2));
        assert_eq!(*order.borrow(), "abbaab");
        Ok(())
    }

    #[test]
    fn a_wrong_answer_ends_the_measuring() {
        let wrong = in_turns(1, 1, [Contender::new("a", 7, || 8)]);
        assert_eq!(
            wrong.map_err(|error| error.to_string()),
            Err("a counts 8 where 7 was expected".to_owned())
        );
    }
}

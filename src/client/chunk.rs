//! Questions packed for a stream.

use super::Question;
use crate::proto::{DocumentType, StreamCheckDocumentsRequest};

/// The most questions a chunk may have.
pub const CHUNK_ITEMS_MAX: usize = 65_536;

/// The most issuing States a chunk can name: an index has one byte, and 0 means "not known".
const STATES_MAX: usize = 255;

/// The most bytes a chunk may take; the service takes messages of 4 MiB. The rest is for the tags and
/// lengths of its five fields.
const BYTES_MAX: usize = 4 * 1024 * 1024 - 64;

/// Bytes of a question beside its number: a line feed, an index, a type.
const ITEM_BYTES: usize = 3;

/// Bytes of a State beside its code: a tag and a length. A code is short, but it comes from outside.
const STATE_BYTES: usize = 8;

/// Why a question cannot be added to a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// The chunk is full: send it and add the question to the next one.
    #[error("the chunk is full")]
    Full,
    /// The question alone is larger than a chunk may be.
    #[error("a question has {bytes} bytes, expected at most {max}")]
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The most a chunk may take.
        max: usize,
    },
    /// The number holds a line feed, which parts numbers in a chunk.
    #[error("a number holds a line feed, expected one number")]
    LineFeed,
    /// The question is about a machine-readable zone, which streams do not take.
    #[error("a question has a machine-readable zone, expected a number: streams take numbers only")]
    Zone,
}

/// Questions packed so that decoding them costs next to nothing.
#[derive(Clone, Default)]
pub struct Chunk {
    numbers: Vec<u8>,
    states: Vec<String>,
    state_indexes: Vec<u8>,
    types: Vec<u8>,
    /// Bytes the message takes at most.
    bytes: usize,
}

/// Shows counts, never a number.
impl std::fmt::Debug for Chunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunk")
            .field("items", &self.len())
            .field("states", &self.states)
            .finish_non_exhaustive()
    }
}

impl Chunk {
    /// A chunk without questions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of questions.
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// Whether there are no questions.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// Adds a question.
    ///
    /// # Errors
    /// [`ChunkError::Full`] if there is no room left: then the chunk is as it was. Otherwise why the
    /// question can be in no chunk.
    pub fn push(&mut self, question: &Question) -> Result<(), ChunkError> {
        let request = question.request();
        if !request.mrz.is_empty() {
            return Err(ChunkError::Zone);
        }
        if request.number.contains('\n') {
            return Err(ChunkError::LineFeed);
        }
        let state = request.issuing_state.as_str();
        let known = match state {
            "" => Some(0),
            state => self.states.iter().position(|s| s == state).map(|i| i + 1),
        };
        let mut bytes = request.number.len() + ITEM_BYTES;
        if known.is_none() {
            bytes += state.len() + STATE_BYTES;
        }
        if bytes > BYTES_MAX {
            return Err(ChunkError::TooLong {
                bytes,
                max: BYTES_MAX,
            });
        }
        let state_index = known.unwrap_or(self.states.len() + 1);
        if self.len() == CHUNK_ITEMS_MAX
            || state_index > STATES_MAX
            || self.bytes + bytes > BYTES_MAX
        {
            return Err(ChunkError::Full);
        }
        if known.is_none() {
            self.states.push(state.to_owned());
        }
        self.numbers.extend_from_slice(request.number.as_bytes());
        self.numbers.push(b'\n');
        self.state_indexes.push(state_index as u8);
        // A type has a name in our contract, so its value fits a byte.
        self.types.push(u8::try_from(request.r#type).unwrap_or(0));
        self.bytes += bytes;
        Ok(())
    }

    /// The message, for whoever sends it without a [`Client`](super::Client): what is the same for all
    /// questions is said once.
    pub fn into_wire(self) -> StreamCheckDocumentsRequest {
        let one_state = match self.states.as_slice() {
            [] => true,
            [_] => self.state_indexes.iter().all(|&index| index == 1),
            _ => false,
        };
        let one_type = self.types.first().copied().unwrap_or(0);
        let same_type = self.types.iter().all(|&t| t == one_type);
        StreamCheckDocumentsRequest {
            numbers: self.numbers.into(),
            issuing_states: self.states,
            issuing_state_indexes: (if one_state {
                Vec::new()
            } else {
                self.state_indexes
            })
            .into(),
            r#type: if same_type {
                i32::from(one_type)
            } else {
                DocumentType::Unspecified.into()
            },
            types: (if same_type { Vec::new() } else { self.types }).into(),
        }
    }
}

/// Packs questions into chunks of at most `size`.
pub(super) struct Packing<I> {
    questions: I,
    /// The question that did not fit any more.
    waiting: Option<Question>,
    size: usize,
}

impl<I> Packing<I> {
    pub(super) fn new(questions: I, size: usize) -> Self {
        Self {
            questions,
            waiting: None,
            size,
        }
    }
}

impl<I> Iterator for Packing<I>
where
    I: Iterator,
    I::Item: Into<Question>,
{
    type Item = Result<Chunk, ChunkError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut chunk = Chunk::new();
        while chunk.len() < self.size {
            let next = self.waiting.take();
            let Some(question) = next.or_else(|| self.questions.next().map(Into::into)) else {
                break;
            };
            match chunk.push(&question) {
                Ok(()) => {}
                Err(ChunkError::Full) => {
                    self.waiting = Some(question);
                    break;
                }
                Err(error) => return Some(Err(error)),
            }
        }
        (!chunk.is_empty()).then_some(Ok(chunk))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::DocumentType as Type;
    use prost::Message as _;

    fn pack(questions: Vec<Question>) -> Vec<StreamCheckDocumentsRequest> {
        Packing::new(questions.into_iter(), CHUNK_ITEMS_MAX)
            .map(|chunk| chunk.unwrap().into_wire())
            .collect()
    }

    #[test]
    fn what_is_the_same_is_said_once() {
        let q = |n: &str, state: &str| Question::number(n).issuing_state(state);
        // Questions; States, indexes, common type, types.
        let cases = [
            (vec![q("A1", ""), q("", "")], vec![], vec![], 0, vec![]),
            (
                vec![q("A1", "D"), q("A2", "D")],
                vec!["D"],
                vec![],
                0,
                vec![],
            ),
            (
                vec![q("A1", "D"), q("A2", "")],
                vec!["D"],
                vec![1, 0],
                0,
                vec![],
            ),
            (
                vec![
                    q("A1", "D").document_type(Type::Visa),
                    q("A2", "UTO").document_type(Type::Visa),
                    q("A3", "D").document_type(Type::Visa),
                ],
                vec!["D", "UTO"],
                vec![1, 2, 1],
                4,
                vec![],
            ),
            (
                vec![q("A1", "").document_type(Type::Visa), q("A2", "")],
                vec![],
                vec![],
                0,
                vec![4, 0],
            ),
        ];
        for (questions, states, indexes, common, types) in cases {
            let numbers: String = questions
                .iter()
                .map(|q| format!("{}\n", q.request().number))
                .collect();
            let packed = pack(questions);
            let [chunk] = packed.as_slice() else {
                panic!("{packed:?}")
            };
            assert_eq!(chunk.numbers, numbers.as_bytes());
            assert_eq!(chunk.issuing_states, states);
            assert_eq!(chunk.issuing_state_indexes, indexes);
            assert_eq!(chunk.r#type, common);
            assert_eq!(chunk.types, types);
        }
    }

    #[test]
    fn chunks_are_cut_at_each_limit() {
        let many = vec![Question::number("A1"); CHUNK_ITEMS_MAX + 1];
        let states = (0..300).map(|i| Question::number("A1").issuing_state(format!("S{i}")));
        let wide = vec![Question::number("A".repeat(1 << 20)); 5];
        for (questions, sizes) in [
            (many, [CHUNK_ITEMS_MAX, 1]),
            (states.collect(), [255, 45]),
            (wide, [3, 2]),
        ] {
            let packed = pack(questions);
            let items = packed
                .iter()
                .map(|c| c.numbers.iter().filter(|&&b| b == b'\n').count());
            assert_eq!(items.collect::<Vec<_>>(), sizes);
            assert!(packed.iter().all(|c| c.encoded_len() <= 4 * 1024 * 1024));
        }
    }

    #[test]
    fn what_cannot_be_packed() {
        let long = Question::number("A".repeat(BYTES_MAX));
        let cases = [
            (Question::number("A1\nA2"), ChunkError::LineFeed),
            (Question::zone("P<UTO"), ChunkError::Zone),
            (
                long,
                ChunkError::TooLong {
                    bytes: BYTES_MAX + 3,
                    max: BYTES_MAX,
                },
            ),
        ];
        for (question, expected) in cases {
            let mut chunk = Chunk::new();
            assert_eq!(chunk.push(&question), Err(expected));
            assert!(chunk.is_empty());
        }
    }
}

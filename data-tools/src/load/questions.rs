//! Questions of a file, as the messages that are sent.

use super::Mode;
use bytes::{BufMut as _, Bytes};
use prost::Message;
use sltd::client::{Chunk, ChunkError, Question};
use sltd::document::DocumentType;
use sltd::proto::{BatchCheckDocumentsRequest, CheckDocumentRequest};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Why a file of questions can't be used.
#[derive(Debug, thiserror::Error)]
pub enum QuestionsError {
    /// The file can't be read.
    #[error("cannot read the questions {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is no question. What it holds is not repeated.
    #[error(
        "{path}, line {line}: expected number[,issuer[,type]], as `sltd-data generate --queries` \
         writes it"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// The file has no question.
    #[error("{0} holds no question")]
    Empty(PathBuf),
    /// More than the messages of a load may take.
    #[error("the questions of {0} take more than 4 GiB as messages: ask fewer")]
    TooMany(PathBuf),
    /// A chunk of that many questions is too large.
    #[error("{items} questions do not fit into one chunk ({source}): choose a smaller --batch")]
    Chunk {
        /// Questions of a chunk.
        items: NonZeroUsize,
        /// Why.
        source: ChunkError,
    },
}

/// One question, as in a file.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The number.
    pub number: String,
    /// The issuing State; may be empty.
    pub issuing_state: String,
    /// The type.
    pub document_type: Option<DocumentType>,
}

impl Asked {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(',').map(str::trim);
        let number = fields.next().filter(|number| !number.is_empty())?;
        let issuing_state = fields.next().unwrap_or_default();
        let document_type = match fields.next() {
            None | Some("") => None,
            Some(name) => Some(DocumentType::from_name(name)?),
        };
        fields.next().is_none().then(|| Self {
            number: number.to_owned(),
            issuing_state: issuing_state.to_owned(),
            document_type,
        })
    }

    /// The message of a single check.
    pub fn request(&self) -> CheckDocumentRequest {
        // Types have the same codes on the wire and in segments.
        let code = |document_type: DocumentType| i32::from(document_type.code());
        CheckDocumentRequest {
            number: self.number.clone(),
            issuing_state: self.issuing_state.clone(),
            r#type: self.document_type.map_or(0, code),
            mrz: String::new(),
        }
    }

    fn question(&self) -> Question {
        let question = Question::number(&*self.number).issuing_state(&*self.issuing_state);
        match self.document_type {
            Some(document_type) => question.document_type(document_type),
            None => question,
        }
    }
}

/// Reads the questions of a file, one after the other. Empty lines are passed over.
///
/// # Errors
/// If the file can't be opened; with an item, if it can't be read or the line is no question.
pub fn read(
    path: &Path,
) -> Result<impl Iterator<Item = Result<Asked, QuestionsError>>, QuestionsError> {
    let failed = |source| QuestionsError::Read {
        path: path.to_owned(),
        source,
    };
    let lines = BufReader::new(File::open(path).map_err(failed)?).lines();
    Ok(lines.zip(1..).filter_map(move |(text, line)| match text {
        Err(source) => Some(Err(failed(source))),
        Ok(text) if text.trim().is_empty() => None,
        Ok(text) => Some(Asked::parse(&text).ok_or_else(|| QuestionsError::Line {
            path: path.to_owned(),
            line,
        })),
    }))
}

/// The messages of a load, encoded and framed, one after the other in one piece of memory.
#[derive(Debug)]
pub struct Questions {
    messages: Bytes,
    /// Where each message ends.
    ends: Vec<u32>,
}

impl Questions {
    /// Reads a file: `items` questions to a message, one if single checks are asked for. Where they do
    /// not come out even, the first questions are asked again.
    ///
    /// # Errors
    /// If the file can't be read, has no question, or is too large.
    pub fn read(path: &Path, mode: Mode, items: NonZeroUsize) -> Result<Self, QuestionsError> {
        let mut packer = Packer {
            mode,
            items,
            messages: Vec::new(),
            ends: Vec::new(),
        };
        let too_many = || QuestionsError::TooMany(path.to_owned());
        let items = match mode {
            Mode::Unary => 1,
            Mode::Batch | Mode::Stream => items.get(),
        };
        // Kept for the last message, if it lacks some.
        let mut first = Vec::new();
        let mut pack = Vec::with_capacity(items);
        for asked in read(path)? {
            pack.push(asked?);
            if pack.len() == items {
                packer.pack(&pack)?.ok_or_else(too_many)?;
                if first.is_empty() && items > 1 {
                    first.clone_from(&pack);
                }
                pack.clear();
            }
        }
        if !pack.is_empty() {
            if first.is_empty() {
                first.clone_from(&pack);
            }
            let lacking = items - pack.len();
            pack.extend(first.iter().cycle().take(lacking).cloned());
            packer.pack(&pack)?.ok_or_else(too_many)?;
        }
        if packer.ends.is_empty() {
            return Err(QuestionsError::Empty(path.to_owned()));
        }
        packer.messages.shrink_to_fit();
        Ok(Self {
            messages: packer.messages.into(),
            ends: packer.ends,
        })
    }

    /// The message of a turn: after the last comes the first again.
    pub fn message(&self, turn: u64) -> Bytes {
        // There is at least one.
        let index = (turn % self.ends.len().max(1) as u64) as usize;
        let end = |index: usize| self.ends.get(index).map_or(0, |end| *end as usize);
        let begin = index.checked_sub(1).map_or(0, end);
        self.messages.slice(begin..end(index))
    }

    /// Number of messages.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none; there always is one.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

struct Packer {
    mode: Mode,
    items: NonZeroUsize,
    messages: Vec<u8>,
    ends: Vec<u32>,
}

impl Packer {
    /// Adds a message; `None` if there is no more room.
    fn pack(&mut self, pack: &[Asked]) -> Result<Option<()>, QuestionsError> {
        match self.mode {
            Mode::Unary => {
                for asked in pack {
                    if self.frame(&asked.request()).is_none() {
                        return Ok(None);
                    }
                }
                Ok(Some(()))
            }
            Mode::Batch => Ok(self.frame(&BatchCheckDocumentsRequest {
                items: pack.iter().map(Asked::request).collect(),
            })),
            Mode::Stream => {
                let mut chunk = Chunk::new();
                for asked in pack {
                    chunk
                        .push(&asked.question())
                        .map_err(|source| QuestionsError::Chunk {
                            items: self.items,
                            source,
                        })?;
                }
                Ok(self.frame(&chunk.into_wire()))
            }
        }
    }

    /// Appends a message as gRPC frames it: not compressed, its length, itself.
    fn frame(&mut self, message: &impl Message) -> Option<()> {
        self.messages.put_u8(0);
        self.messages
            .put_u32(u32::try_from(message.encoded_len()).ok()?);
        message.encode_raw(&mut self.messages);
        self.ends.push(u32::try_from(self.messages.len()).ok()?);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sltd::proto::StreamCheckDocumentsRequest;

    /// The messages of a file with this text, without their frames.
    fn messages(text: &str, mode: Mode, items: usize) -> Result<Vec<Bytes>, QuestionsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queries.csv");
        std::fs::write(&path, text).unwrap();
        let questions = Questions::read(&path, mode, NonZeroUsize::new(items).unwrap())?;
        let unframed = |turn| {
            let mut message = questions.message(turn as u64);
            let prefix = message.split_to(5);
            assert_eq!(prefix[0], 0);
            assert_eq!(prefix[1..], (message.len() as u32).to_be_bytes());
            message
        };
        // The last one is the first again.
        let mut all: Vec<_> = (0..=questions.len()).map(unframed).collect();
        assert_eq!(all.pop(), all.first().cloned());
        Ok(all)
    }

    const FOUR: &str = "A1,FIN,passport\n\nA2,D\r\n A3 \nA4,,visa\n";

    #[test]
    fn each_question_becomes_a_message() {
        let decode = |message: Bytes| CheckDocumentRequest::decode(message).unwrap();
        let decoded = messages(FOUR, Mode::Unary, 3)
            .unwrap()
            .into_iter()
            .map(decode);
        let fields = decoded.map(|request| (request.number, request.issuing_state, request.r#type));
        let expected = [
            ("A1", "FIN", 1),
            ("A2", "D", 0),
            ("A3", "", 0),
            ("A4", "", 4),
        ]
        .map(|(number, state, code)| (number.to_owned(), state.to_owned(), code));
        assert_eq!(fields.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_last_message_is_filled_up_from_the_first() {
        let numbers = |message: Bytes| {
            let items = BatchCheckDocumentsRequest::decode(message).unwrap().items;
            items
                .into_iter()
                .map(|item| item.number)
                .collect::<String>()
        };
        let cases: [(usize, &[&str]); 4] = [
            (2, &["A1A2", "A3A4"]),
            (3, &["A1A2A3", "A4A1A2"]),
            (4, &["A1A2A3A4"]),
            (6, &["A1A2A3A4A1A2"]),
        ];
        for (items, expected) in cases {
            let batches = messages(FOUR, Mode::Batch, items).unwrap();
            assert_eq!(
                batches.into_iter().map(numbers).collect::<Vec<_>>(),
                expected
            );
        }
        let chunks = messages(FOUR, Mode::Stream, 3).unwrap();
        let numbers = |chunk: Bytes| StreamCheckDocumentsRequest::decode(chunk).unwrap().numbers;
        assert_eq!(
            chunks.into_iter().map(numbers).collect::<Vec<_>>(),
            ["A1\nA2\nA3\n", "A4\nA1\nA2\n"]
        );
    }

    #[test]
    fn what_is_no_question_is_named_by_its_line() {
        for (text, line) in [
            ("A1\n,FIN\n", 2),
            ("A1,FIN,pasport\n", 1),
            ("A1\n\nA2,FIN,visa,more\n", 3),
        ] {
            let error = messages(text, Mode::Unary, 1).unwrap_err();
            assert!(
                matches!(error, QuestionsError::Line { line: named, .. } if named == line),
                "{error}"
            );
            assert!(!error.to_string().contains("A1"), "{error}");
        }
        let long = "A".repeat(5 << 20);
        let error = messages(&long, Mode::Stream, 1).unwrap_err();
        assert!(matches!(error, QuestionsError::Chunk { .. }), "{error}");
    }
}

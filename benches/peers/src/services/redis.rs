//! Redis: a server of its own, with a socket in a folder of its own.

use super::cores::Cores;
use crate::Result;
use crate::entries::Feed;
use crate::process::cpu_seconds;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Value};
use sltd::proto::Verdict;
use sltd_data::load::{Caller, Outcome, Target, Verdicts, read_questions};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::num::NonZeroUsize;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tonic::Code;

/// What was chosen, and why.
pub(crate) const SETTINGS: &str = "a Unix socket, which its documentation prefers to TCP on one machine; loaded by \
    pipelined `MSET` of 256 numbers each (mass insertion), `save \"\"` and `appendonly no` meanwhile and one `SAVE` at \
    the end, which syncs the file";

/// Numbers of an `MSET`.
const MSET_NUMBERS: usize = 256;
/// How long it may take to start.
const START: Duration = Duration::from_secs(30);

/// A running server; ended when dropped.
#[derive(Debug)]
pub(crate) struct Redis {
    child: Child,
    folder: TempDir,
}

impl Redis {
    /// Starts an empty one in a folder.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("redis")
            .tempdir_in(folder)?;
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--unixsocket"]);
        command.arg(folder.path().join("socket"));
        command.args(["--save", "", "--appendonly", "no", "--dir"]);
        command.arg(folder.path()).stdout(Stdio::null());
        let mut server = Self {
            child: command.spawn()?,
            folder,
        };
        let end = Instant::now() + START;
        while UnixStream::connect(server.socket()).is_err() {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("redis-server ended with {status}").into());
            }
            if Instant::now() > end {
                return Err("redis-server does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(server)
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Processor time it has taken so far, seconds.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn cpu(&self) -> Result<f64> {
        cpu_seconds(self.child.id())
    }

    /// Moves it to the servers' cores.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn confine(&self, cores: &Cores) -> Result<()> {
        cores.confine(self.child.id())
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn clear(&self) -> Result<()> {
        self.tell(redis::cmd("FLUSHALL").arg("SYNC"))
    }

    /// Loads all feeds; durable when it returns.
    ///
    /// # Errors
    /// What it says.
    pub(crate) fn load(&self, feeds: Vec<Box<dyn Feed + '_>>) -> Result<()> {
        let stream = UnixStream::connect(self.socket())?;
        let replies = BufReader::new(stream.try_clone()?);
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| read_replies(replies).map_err(|error| error.to_string()));
            write_all(stream, feeds)?;
            reading.join().map_err(|_| "a thread has panicked")??;
            Result::Ok(())
        })?;
        self.tell(&redis::cmd("SAVE"))
    }

    /// Bytes of memory its data takes, what an empty one takes included.
    ///
    /// # Errors
    /// When it does not say.
    pub(crate) fn bytes(&self) -> Result<u64> {
        let mut connection = self.connect()?;
        let said: String = redis::cmd("INFO").arg("memory").query(&mut connection)?;
        let used = said
            .lines()
            .find_map(|line| line.strip_prefix("used_memory:"));
        Ok(used
            .ok_or("redis does not say used_memory")?
            .trim()
            .parse()?)
    }

    /// The value of a number.
    ///
    /// # Errors
    /// What it says.
    pub(crate) fn get(&self, number: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut connection = self.connect()?;
        Ok(redis::cmd("GET").arg(number).query(&mut connection)?)
    }

    fn tell(&self, command: &Cmd) -> Result<()> {
        Ok(command.exec(&mut self.connect()?)?)
    }

    fn connect(&self) -> Result<redis::Connection> {
        Ok(client(&self.socket())?.get_connection()?)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_all(stream: UnixStream, feeds: Vec<Box<dyn Feed + '_>>) -> Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, stream);
    let mut arguments = Vec::new();
    let mut count = 0;
    let mut flush = |arguments: &mut Vec<u8>, count: &mut usize| -> Result<()> {
        if *count > 0 {
            write!(out, "*{}\r\n$4\r\nMSET\r\n", *count * 2 + 1)?;
            out.write_all(arguments)?;
            arguments.clear();
            *count = 0;
        }
        Ok(())
    };
    for mut feed in feeds {
        while let Some((number, value)) = feed.next() {
            for argument in [number, value] {
                write!(arguments, "${}\r\n", argument.len())?;
                arguments.extend_from_slice(argument);
                arguments.extend_from_slice(b"\r\n");
            }
            count += 1;
            if count == MSET_NUMBERS {
                flush(&mut arguments, &mut count)?;
            }
        }
    }
    flush(&mut arguments, &mut count)?;
    // The last reply.
    out.write_all(b"PING\r\n")?;
    Ok(out.flush()?)
}

/// Reads replies until that to `PING`.
fn read_replies(replies: BufReader<UnixStream>) -> Result<()> {
    for reply in replies.lines() {
        match reply?.as_str() {
            "+OK" => {}
            "+PONG" => return Ok(()),
            other => return Err(format!("redis says {other}").into()),
        }
    }
    Err("redis has closed the connection".into())
}

fn client(socket: &Path) -> Result<redis::Client> {
    let socket = socket.to_str().ok_or("expected a path that is UTF-8")?;
    Ok(redis::Client::open(format!("redis+unix://{socket}"))?)
}

/// A connection that many share, whose commands are pipelined.
///
/// # Errors
/// When there is no server.
pub(super) async fn connect(socket: &Path) -> Result<MultiplexedConnection> {
    // Whoever asks has a deadline of its own.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    Ok(client(socket)?
        .get_multiplexed_async_connection_with_config(&config)
        .await?)
}

/// Redis asked by `MGET`.
pub(super) struct RedisTarget {
    socket: PathBuf,
    commands: Arc<[Cmd]>,
}

impl RedisTarget {
    /// The numbers of a file, so many a command.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(super) fn new(socket: &Path, queries: &Path, items: NonZeroUsize) -> Result<Self> {
        let mut commands = Vec::new();
        let mut command = redis::cmd("MGET");
        let mut count = 0;
        for question in read_questions(queries)? {
            command.arg(question?.number);
            count += 1;
            if count == items.get() {
                commands.push(std::mem::replace(&mut command, redis::cmd("MGET")));
                count = 0;
            }
        }
        if commands.is_empty() {
            return Err("expected as many questions as a command asks".into());
        }
        Ok(Self {
            socket: socket.to_owned(),
            commands: commands.into(),
        })
    }
}

/// A connection, once it is needed.
pub(super) struct Lazy {
    socket: PathBuf,
    connection: OnceCell<MultiplexedConnection>,
}

impl Target for RedisTarget {
    type Connection = Rc<Lazy>;
    type Caller = RedisCaller;

    fn connection(&self) -> Rc<Lazy> {
        Rc::new(Lazy {
            socket: self.socket.clone(),
            connection: OnceCell::new(),
        })
    }

    fn caller(&self, connection: &Rc<Lazy>) -> RedisCaller {
        RedisCaller {
            lazy: Rc::clone(connection),
            commands: Arc::clone(&self.commands),
        }
    }
}

/// Makes one `MGET` at a time.
pub(super) struct RedisCaller {
    lazy: Rc<Lazy>,
    commands: Arc<[Cmd]>,
}

impl Caller for RedisCaller {
    async fn call(&mut self, turn: u64) -> Outcome {
        match self.ask(turn).await {
            Ok(verdicts) => Outcome::answered(verdicts),
            Err(error) => Outcome::failed(Code::Unavailable, error.to_string()),
        }
    }
}

impl RedisCaller {
    async fn ask(&self, turn: u64) -> Result<Verdicts> {
        let lazy = &self.lazy;
        let connection = lazy.connection.get_or_try_init(|| connect(&lazy.socket));
        let mut connection = connection.await?.clone();
        let index = turn % self.commands.len() as u64;
        let command = self.commands.get(index as usize).ok_or("no command")?;
        let Value::Array(values) = connection.send_packed_command(command).await? else {
            return Err("redis does not answer with an array".into());
        };
        // A value is a hit or less: what it means is left to whoever unpacks it.
        let mut verdicts = Verdicts::default();
        let absent = values.iter().filter(|value| **value == Value::Nil).count() as u64;
        verdicts.add(Verdict::NoRecord.into(), absent);
        verdicts.add(Verdict::Review.into(), values.len() as u64 - absent);
        Ok(verdicts)
    }
}

//! PostgreSQL: a server of its own, its data and its socket in a folder of its own.

use super::cores::Cores;
use crate::Result;
use crate::entries::Feed;
use crate::process::tree_cpu_seconds;
use bytes::{BufMut as _, BytesMut};
use futures_util::SinkExt as _;
use rustix::process::{Pid, Signal, kill_process};
use sltd::proto::Verdict;
use sltd_data::load::{Caller, Outcome, Target, Verdicts, read_questions};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls, Statement};
use tonic::Code;

/// What was chosen, and why.
pub(crate) const SETTINGS: &str = "a Unix socket; `shared_buffers` a quarter of the memory, `maintenance_work_mem` 1 GB and \
    as many parallel workers as cores, `max_wal_size` 64 GB, as its documentation advises for bulk loads; loaded by binary \
    `COPY ... FREEZE` in the transaction that makes the table, with `wal_level = minimal`, which writes no log of it, and \
    synced at its commit; then a unique index that covers the reports, `VACUUM ANALYZE`, so that the index alone answers, \
    and `CHECKPOINT`; asked by a statement prepared once a connection, pipelined";

/// Its user, as Debian's package makes it; the server refuses to run as root.
const USER: &str = "postgres";
/// Bytes of a piece of `COPY`.
const PIECE: usize = 1 << 20;
/// How long it may take to start.
const START: Duration = Duration::from_secs(60);

/// A running server; ended when dropped.
#[derive(Debug)]
pub(crate) struct Postgres {
    child: Child,
    folder: TempDir,
}

impl Postgres {
    /// Starts an empty one in a folder that its user may enter.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new()
            .prefix("postgres")
            .tempdir_in(folder)?;
        give_to_user(folder.path())?;
        let data = folder.path().join("data");
        let made = as_user(&programs.join("initdb"))?
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "--pgdata"])
            .arg(&data)
            .stdout(Stdio::null())
            .status()?;
        if !made.success() {
            return Err(format!("initdb ended with {made}").into());
        }
        let memory_mib = sltd::memory::available().unwrap_or(1 << 30) >> 20;
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let socket = folder
            .path()
            .to_str()
            .ok_or("expected a path that is UTF-8")?;
        let settings = [
            "listen_addresses=".to_owned(),
            format!("unix_socket_directories={socket}"),
            format!("shared_buffers={}MB", memory_mib / 4),
            format!("effective_cache_size={}MB", memory_mib / 4 * 3),
            "maintenance_work_mem=1GB".to_owned(),
            format!("max_parallel_maintenance_workers={workers}"),
            "max_wal_size=64GB".to_owned(),
            "checkpoint_timeout=1d".to_owned(),
            "wal_level=minimal".to_owned(),
            "max_wal_senders=0".to_owned(),
            "autovacuum=off".to_owned(),
            "jit=off".to_owned(),
        ];
        let mut command = as_user(&programs.join("postgres"))?;
        command.arg("-D").arg(&data);
        for setting in settings {
            command.args(["-c", &setting]);
        }
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut server = Self { child, folder };
        let end = Instant::now() + START;
        while server.run(async |_| Ok(())).is_err() {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("postgres ended with {status}").into());
            }
            if Instant::now() > end {
                return Err("postgres does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Where its socket is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Processor time that it and its processes have taken so far, seconds.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn cpu(&self) -> Result<f64> {
        tree_cpu_seconds(self.child.id())
    }

    /// Moves it to the servers' cores, and the processes that it starts for connections from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn confine(&self, cores: &Cores) -> Result<()> {
        cores.confine(self.child.id())
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// What it says.
    pub(crate) fn clear(&self) -> Result<()> {
        self.run(async |client| {
            Ok(client
                .batch_execute("DROP TABLE IF EXISTS documents; CHECKPOINT")
                .await?)
        })
    }

    /// Loads all feeds; durable when it returns.
    ///
    /// # Errors
    /// What it says.
    pub(crate) fn load(&self, feeds: Vec<Box<dyn Feed + '_>>) -> Result<()> {
        self.run(async |client| {
            let transaction = client.transaction().await?;
            transaction
                .batch_execute(
                    "CREATE TABLE documents (number text COLLATE \"C\" NOT NULL, reports bytea NOT NULL)",
                )
                .await?;
            let copy = transaction
                .copy_in("COPY documents FROM STDIN (FORMAT binary, FREEZE)")
                .await?;
            let mut copy = pin!(copy);
            let mut piece = BytesMut::new();
            // Signature, flags, no extension.
            piece.put_slice(b"PGCOPY\n\xff\r\n\0");
            piece.put_u64(0);
            for mut feed in feeds {
                while let Some((number, value)) = feed.next() {
                    piece.put_u16(2);
                    for field in [number, value] {
                        piece.put_u32(field.len() as u32);
                        piece.put_slice(field);
                    }
                    if piece.len() >= PIECE {
                        copy.send(piece.split().freeze()).await?;
                    }
                }
            }
            piece.put_i16(-1);
            copy.send(piece.freeze()).await?;
            copy.as_mut().finish().await?;
            transaction.commit().await?;
            client
                .batch_execute(
                    "CREATE UNIQUE INDEX documents_by_number ON documents (number) INCLUDE (reports)",
                )
                .await?;
            // Neither runs inside a transaction, which a batch is.
            client.batch_execute("VACUUM (ANALYZE) documents").await?;
            Ok(client.batch_execute("CHECKPOINT").await?)
        })
    }

    /// Bytes of table and index.
    ///
    /// # Errors
    /// What it says.
    pub(crate) fn bytes(&self) -> Result<u64> {
        self.run(async |client| {
            let row = client
                .query_one("SELECT pg_total_relation_size('documents')", &[])
                .await?;
            Ok(u64::try_from(row.get::<_, i64>(0))?)
        })
    }

    /// The value of a number.
    ///
    /// # Errors
    /// What it says.
    pub(crate) fn get(&self, number: &str) -> Result<Option<Vec<u8>>> {
        self.run(async |client| {
            let row = client.query_opt(QUERY, &[&number]).await?;
            Ok(row.map(|row| row.get(0)))
        })
    }

    /// Does something on a connection.
    fn run<R>(&self, what: impl AsyncFnOnce(&mut Client) -> Result<R>) -> Result<R> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut client = connect(self.folder()).await?;
            what(&mut client).await
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Fast shutdown. It may have ended already; there is nobody to tell.
        let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
        let _ = self.child.wait();
    }
}

/// The folder of the newest version's programs.
fn programs() -> Result<PathBuf> {
    let version = |folder: &Path| {
        let name = folder.file_name()?.to_str()?;
        name.parse::<u32>().ok()
    };
    let debian = std::fs::read_dir("/usr/lib/postgresql");
    let newest = debian
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let newest = newest
        .filter(|folder| folder.join("bin/initdb").exists())
        .max_by_key(|folder| version(folder));
    if let Some(folder) = newest {
        return Ok(folder.join("bin"));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|folder| folder.join("initdb").exists())
        .ok_or_else(|| "PostgreSQL is not installed".into())
}

/// A command as the server's user, where this process is root's.
fn as_user(program: &Path) -> Result<Command> {
    if !rustix::process::geteuid().is_root() {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", USER, "--regid", USER, "--init-groups"])
        .arg(program);
    // The folder this process is in may be closed to that user.
    command.current_dir("/");
    Ok(command)
}

/// Gives a folder to the server's user, where this process is root's.
fn give_to_user(folder: &Path) -> Result<()> {
    if rustix::process::geteuid().is_root() {
        let status = Command::new("chown").arg(USER).arg(folder).status()?;
        if !status.success() {
            return Err(format!("there is no user {USER}").into());
        }
    }
    Ok(())
}

const QUERY: &str = "SELECT reports FROM documents WHERE number = $1";

async fn connect(folder: &Path) -> Result<Client> {
    let mut config = tokio_postgres::Config::new();
    config.host_path(folder).user(USER).dbname(USER);
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            eprintln!("a connection to PostgreSQL has ended: {error}");
        }
    });
    Ok(client)
}

/// PostgreSQL asked by a prepared statement.
pub(super) struct PostgresTarget {
    folder: PathBuf,
    numbers: Arc<[Box<str>]>,
}

impl PostgresTarget {
    /// The numbers of a file.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(super) fn new(folder: &Path, queries: &Path) -> Result<Self> {
        let mut numbers = Vec::new();
        for question in read_questions(queries)? {
            numbers.push(question?.number.into());
        }
        Ok(Self {
            folder: folder.to_owned(),
            numbers: numbers.into(),
        })
    }
}

/// A connection and its statement, once they are needed.
pub(super) struct Lazy {
    folder: PathBuf,
    connection: OnceCell<(Client, Statement)>,
}

impl Target for PostgresTarget {
    type Connection = Rc<Lazy>;
    type Caller = PostgresCaller;

    fn connection(&self) -> Rc<Lazy> {
        Rc::new(Lazy {
            folder: self.folder.clone(),
            connection: OnceCell::new(),
        })
    }

    fn caller(&self, connection: &Rc<Lazy>) -> PostgresCaller {
        PostgresCaller {
            lazy: Rc::clone(connection),
            numbers: Arc::clone(&self.numbers),
        }
    }
}

/// Makes one query at a time; those of a connection are pipelined.
pub(super) struct PostgresCaller {
    lazy: Rc<Lazy>,
    numbers: Arc<[Box<str>]>,
}

impl Caller for PostgresCaller {
    async fn call(&mut self, turn: u64) -> Outcome {
        match self.ask(turn).await {
            Ok(verdicts) => Outcome::answered(verdicts),
            Err(error) => Outcome::failed(Code::Unavailable, error.to_string()),
        }
    }
}

impl PostgresCaller {
    async fn ask(&self, turn: u64) -> Result<Verdicts> {
        let lazy = &self.lazy;
        let prepare = || async {
            let client = connect(&lazy.folder).await?;
            let statement = client.prepare(QUERY).await?;
            Result::Ok((client, statement))
        };
        let (client, statement) = lazy.connection.get_or_try_init(prepare).await?;
        let index = turn % self.numbers.len().max(1) as u64;
        let number: &str = self.numbers.get(index as usize).ok_or("no question")?;
        let row = client.query_opt(statement, &[&number]).await?;
        // A value is a hit or less: what it means is left to whoever unpacks it.
        let verdict = match row {
            None => Verdict::NoRecord,
            Some(_) => Verdict::Review,
        };
        let mut verdicts = Verdicts::default();
        verdicts.add(verdict.into(), 1);
        Ok(verdicts)
    }
}

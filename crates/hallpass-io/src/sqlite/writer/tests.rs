use super::*;
use std::error::Error as _;
use tempfile::TempDir;

struct Put(i64);

impl Write for Put {
    type Written = i64;
    const DOING: &'static str = "put a number";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<i64> {
        connection
            .execute("INSERT INTO number VALUES (?1)", [self.0])
            .map(|_inserted| self.0)
    }
}

/// Puts a number, and then the same again, which the table refuses.
struct PutTwice(i64);

impl Write for PutTwice {
    type Written = ();
    const DOING: &'static str = "put a number twice";
    const STATEMENTS: Statements = Statements::Several;

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        Put(self.0).write(connection)?;
        Put(self.0).write(connection).map(|_number| ())
    }
}

/// What SQLite does by itself when the disk is full.
struct RollBack;

impl Write for RollBack {
    type Written = ();
    const DOING: &'static str = "roll back";
    const STATEMENTS: Statements = Statements::One;

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch("ROLLBACK")
    }
}

struct Bench {
    writer: Option<Writer>,
    other: Connection,
    _directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        let connection = Connection::open(&path).unwrap();
        super::super::setup::writer(&connection, super::super::Durability::Normal).unwrap();
        connection
            .execute_batch("CREATE TABLE number (n INTEGER PRIMARY KEY) STRICT")
            .unwrap();
        let other = Connection::open(&path).unwrap();
        let writer = Some(Writer::start(connection).unwrap());
        Self {
            writer,
            other,
            _directory: directory,
        }
    }

    fn writer(&self) -> &Writer {
        self.writer.as_ref().unwrap()
    }

    fn numbers(&self) -> Vec<i64> {
        let mut statement = self
            .other
            .prepare("SELECT n FROM number ORDER BY n")
            .unwrap();
        statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    /// Keeps the thread waiting for its transaction while `submit` fills the queue.
    fn while_waiting<T>(&self, submit: impl FnOnce(&Writer) -> T) -> T {
        self.other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let submitted = submit(self.writer());
        self.other.execute_batch("COMMIT").unwrap();
        submitted
    }
}

fn chain(fault: &StoreError) -> String {
    let mut text = fault.to_string();
    let mut source = fault.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn writes_that_wait_share_a_transaction() {
    let bench = Bench::new();
    let answers = bench.while_waiting(|writer| {
        (0..60)
            .map(|number| writer.submit(Put(number)).unwrap())
            .collect::<Vec<_>>()
    });
    for (number, answer) in (0..60).zip(answers) {
        assert_eq!(answer.await.unwrap().unwrap(), number);
    }
    assert_eq!(bench.numbers().len(), 60);
    // The first group is what was queued when the thread woke up, the second is the rest.
    assert!(
        (1..=2).contains(&bench.writer().commits()),
        "{}",
        bench.writer().commits()
    );
}

#[tokio::test]
async fn a_group_has_a_limit() {
    let bench = Bench::new();
    let count = 5 * GROUP_LEN_MAX;
    let answers = bench.while_waiting(|writer| {
        let numbers = 0..i64::try_from(count).unwrap();
        numbers
            .map(|number| writer.submit(Put(number)).unwrap())
            .collect::<Vec<_>>()
    });
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert!(
        (5..=6).contains(&bench.writer().commits()),
        "{}",
        bench.writer().commits()
    );
}

#[tokio::test]
async fn a_write_that_fails_in_a_group_fails_alone() {
    let bench = Bench::new();
    let (first, twice, same, last) = bench.while_waiting(|writer| {
        (
            writer.submit(Put(1)).unwrap(),
            writer.submit(PutTwice(2)).unwrap(),
            writer.submit(Put(1)).unwrap(),
            writer.submit(Put(3)).unwrap(),
        )
    });
    assert!(first.await.unwrap().is_ok());
    let fault = twice.await.unwrap().unwrap_err();
    assert!(
        chain(&fault).contains("UNIQUE constraint failed"),
        "{}",
        chain(&fault)
    );
    assert!(same.await.unwrap().is_err());
    assert!(last.await.unwrap().is_ok());
    assert_eq!(bench.numbers(), [1, 3]);
}

#[tokio::test]
async fn a_group_that_was_rolled_back_is_answered_with_errors_and_the_next_one_is_written() {
    let bench = Bench::new();
    let answers = bench.while_waiting(|writer| {
        // One transaction of its own for the first, so that the rest is one group.
        let first = writer.submit(Put(0)).unwrap();
        let before = writer.submit(Put(1)).unwrap();
        let rolls_back = writer.submit(RollBack).unwrap();
        let after = writer.submit(Put(2)).unwrap();
        (first, before, rolls_back, after)
    });
    drop(answers.0.await.unwrap());
    let before = answers.1.await.unwrap();
    assert!(answers.2.await.unwrap().is_err());
    assert!(answers.3.await.unwrap().is_err());
    bench.writer().write(Put(9)).await.unwrap();
    let numbers = bench.numbers();
    assert_eq!(before.is_ok(), numbers.contains(&1));
    assert!(!numbers.contains(&2) && numbers.contains(&9), "{numbers:?}");
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let bench = Bench::new();
    let (answers, refused) = bench.while_waiting(|writer| {
        let mut answers = Vec::new();
        loop {
            let number = i64::try_from(answers.len()).unwrap();
            match writer.submit(Put(number)) {
                Ok(answer) => answers.push(answer),
                Err(refused) => return (answers, refused),
            }
        }
    });
    assert_eq!(
        chain(&refused),
        "the store failed to put a number: 4096 writes are waiting already"
    );
    assert!((QUEUE_LEN_MAX..=QUEUE_LEN_MAX + GROUP_LEN_MAX).contains(&answers.len()));
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn dropping_the_writer_writes_what_is_queued() {
    let mut bench = Bench::new();
    let answers: Vec<_> = (0..300)
        .map(|number| bench.writer().submit(Put(number)).unwrap())
        .collect();
    drop(bench.writer.take());
    assert_eq!(bench.numbers().len(), 300);
    for answer in answers {
        assert!(answer.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_caller_that_gave_up_does_not_stop_its_write() {
    let bench = Bench::new();
    drop(bench.writer().submit(Put(1)).unwrap());
    bench.writer().write(Put(2)).await.unwrap();
    assert_eq!(bench.numbers(), [1, 2]);
}

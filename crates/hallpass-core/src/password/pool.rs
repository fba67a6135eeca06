//! A bounded number of threads that hash, and a bounded queue before them.

use super::{HashError, PasswordHasher, SALT_LEN, Verdict};
use crate::user::{Password, PasswordHash};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The salt of the hash that is made for users who do not exist.
const NOBODYS_SALT: [u8; SALT_LEN] = *b"nobody is here!!";

/// How much hashing may go on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashPoolSettings {
    /// Threads. Default: one for each core; more give no more hashes.
    pub workers: usize,
    /// Passwords that may wait. Default: 64, which is about half a second for each core.
    pub queue_len_max: usize,
}

impl Default for HashPoolSettings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            workers: cores,
            queue_len_max: 64,
        }
    }
}

/// Hashes passwords on threads of its own, so that a burst of sign-ins slows nothing else.
///
/// Its threads run at a lower priority: they take what other work leaves. When the queue is full
/// the answer is [`HashError::Overloaded`], at once.
#[derive(Debug)]
pub struct HashPool {
    queue: Arc<Queue>,
    queue_len_max: usize,
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "State({} jobs)", self.jobs.len())
    }
}

enum Job {
    Hash(
        Password,
        [u8; SALT_LEN],
        oneshot::Sender<Result<PasswordHash, HashError>>,
    ),
    /// Without a stored hash the same work is done, and the answer is [`Verdict::Wrong`].
    Verify(
        Password,
        Option<PasswordHash>,
        oneshot::Sender<Result<Verdict, HashError>>,
    ),
}

impl HashPool {
    /// Starts the threads. `hasher` is called once by each.
    ///
    /// # Errors
    /// When the machine gives no threads.
    pub fn start(
        settings: HashPoolSettings,
        hasher: impl Fn() -> Box<dyn PasswordHasher> + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let hasher = Arc::new(hasher);
        for number in 0..settings.workers.max(1) {
            let (queue, hasher) = (queue.clone(), hasher.clone());
            std::thread::Builder::new()
                .name(format!("hallpass-hash-{number}"))
                .spawn(move || work(&queue, hasher().as_mut()))?;
        }
        Ok(Self {
            queue,
            queue_len_max: settings.queue_len_max,
        })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`HashError::Overloaded`] when too many wait already.
    pub async fn hash(
        &self,
        password: Password,
        salt: [u8; SALT_LEN],
    ) -> Result<PasswordHash, HashError> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Job::Hash(password, salt, reply))?;
        answer
            .await
            .unwrap_or(Err(HashError::Failed("the worker is gone")))
    }

    /// Checks a password. Without a stored hash (no such user) it takes the same time and the
    /// answer is [`Verdict::Wrong`].
    ///
    /// # Errors
    /// [`HashError::Overloaded`] when too many wait already.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
    ) -> Result<Verdict, HashError> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Job::Verify(password, stored, reply))?;
        answer
            .await
            .unwrap_or(Err(HashError::Failed("the worker is gone")))
    }

    fn enqueue(&self, job: Job) -> Result<(), HashError> {
        let mut state = self.queue.lock();
        if state.jobs.len() >= self.queue_len_max {
            return Err(HashError::Overloaded);
        }
        state.jobs.push_back(job);
        drop(state);
        self.queue.wake.notify_one();
        Ok(())
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.wake.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next job. `None` ends the worker.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn work(queue: &Queue, hasher: &mut dyn PasswordHasher) {
    lower_priority();
    while let Some(job) = queue.next() {
        match job {
            // Nobody waits for the answer any more: the client has gone.
            Job::Hash(_, _, reply) if reply.is_closed() => {}
            Job::Verify(_, _, reply) if reply.is_closed() => {}
            Job::Hash(password, salt, reply) => {
                drop(reply.send(hasher.hash(&password, &salt)));
            }
            Job::Verify(password, Some(stored), reply) => {
                drop(reply.send(hasher.verify(&password, &stored)));
            }
            Job::Verify(password, None, reply) => {
                let same_work = hasher.hash(&password, &NOBODYS_SALT);
                drop(reply.send(same_work.map(|_| Verdict::Wrong)));
            }
        }
    }
}

/// Lets every other thread go first. Where that cannot be done, the order is the system's.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        // On Linux this is the priority of the calling thread alone.
        const NICE: i32 = 10;
        let _ = rustix::process::setpriority_process(None, NICE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Waits for a nod before each password, so that a test decides when the pool is busy.
    struct Gated(mpsc::Receiver<()>);

    impl PasswordHasher for Gated {
        fn hash(&mut self, _: &Password, _: &[u8; SALT_LEN]) -> Result<PasswordHash, HashError> {
            self.0.recv().map_err(|_| HashError::Failed("test over"))?;
            Ok(PasswordHash::new("hash".into()))
        }

        fn verify(&mut self, _: &Password, _: &PasswordHash) -> Result<Verdict, HashError> {
            self.0.recv().map_err(|_| HashError::Failed("test over"))?;
            Ok(Verdict::Right)
        }
    }

    fn gated(queue_len_max: usize) -> (HashPool, mpsc::Sender<()>) {
        let (nod, nods) = mpsc::channel();
        let nods = Mutex::new(Some(nods));
        let settings = HashPoolSettings {
            workers: 1,
            queue_len_max,
        };
        let pool = HashPool::start(settings, move || {
            Box::new(Gated(nods.lock().unwrap().take().unwrap()))
        })
        .unwrap();
        (pool, nod)
    }

    fn password() -> Password {
        Password::presented("correct horse").unwrap()
    }

    #[tokio::test]
    async fn a_full_queue_answers_overloaded_at_once() {
        let (pool, nod) = gated(2);
        let pool = Arc::new(pool);
        let mut waiting = Vec::new();
        for _ in 0..40 {
            let pool = pool.clone();
            waiting.push(tokio::spawn(
                async move { pool.hash(password(), [0; 16]).await },
            ));
        }
        // Let every task reach the queue: one is being worked on at most, two wait.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        for _ in 0..40 {
            nod.send(()).unwrap();
        }
        let mut done = 0;
        let mut overloaded = 0;
        for task in waiting {
            match task.await.unwrap() {
                Ok(_) => done += 1,
                Err(HashError::Overloaded) => overloaded += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert!((2..=3).contains(&done), "{done} done");
        assert_eq!(done + overloaded, 40);
    }

    #[tokio::test]
    async fn en_02_an_unknown_user_costs_a_hash_and_is_wrong() {
        let (pool, nod) = gated(8);
        nod.send(()).unwrap();
        assert_eq!(pool.verify(password(), None).await.unwrap(), Verdict::Wrong);
        nod.send(()).unwrap();
        let stored = Some(PasswordHash::new("hash".into()));
        assert_eq!(
            pool.verify(password(), stored).await.unwrap(),
            Verdict::Right
        );
    }
}

//! Drives requests step by step, in an order that a test decides.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A request under way.
pub(crate) type Request<A> = Pin<Box<dyn Future<Output = A>>>;

/// A choice: which of how many.
pub(crate) type Choice = (usize, usize);

/// Drives requests to their end. Where `path` has a choice it is taken, beyond it `choose` picks
/// one of so many; what was chosen is written to `path`.
pub(crate) fn drive<A>(
    mut requests: Vec<Request<A>>,
    path: &mut Vec<Choice>,
    mut choose: impl FnMut(usize) -> usize,
) -> Vec<A> {
    let mut context = Context::from_waker(Waker::noop());
    let mut answers: Vec<Option<A>> = requests.iter().map(|_| None).collect();
    for depth in 0.. {
        let waiting: Vec<_> = (0..answers.len())
            .filter(|at| answers[*at].is_none())
            .collect();
        if waiting.is_empty() {
            break;
        }
        if path.len() == depth {
            path.push((choose(waiting.len()), waiting.len()));
        }
        assert_eq!(path[depth].1, waiting.len(), "a schedule repeats itself");
        let chosen = waiting[path[depth].0];
        if let Poll::Ready(answer) = requests[chosen].as_mut().poll(&mut context) {
            answers[chosen] = Some(answer);
        }
    }
    answers.into_iter().flatten().collect()
}

/// Turns a path into the next one that has not been taken.
pub(crate) fn next(path: &mut Vec<Choice>) -> bool {
    while let Some((chosen, of)) = path.pop() {
        if chosen + 1 < of {
            path.push((chosen + 1, of));
            return true;
        }
    }
    false
}

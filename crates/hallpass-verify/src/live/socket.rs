//! The handler's end of a WebSocket.

use super::Over;
use crate::Caller;
use ::axum::extract::ws::Message;
use tokio::sync::{mpsc, watch};

/// How many messages may lie between the handler and the wire, in each direction.
const QUEUE_LEN: usize = 1;

/// Tells that a WebSocket is closed: nothing can be sent any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the WebSocket is closed")]
pub struct Closed;

/// What both ends know of a connection.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) caller: Caller,
    pub(super) over: Option<Over>,
}

/// A WebSocket that closes itself when the token expires or the session ends, whatever the handler
/// is doing. Drop it to close it.
///
/// Pings, their answers and the closing handshake are dealt with; messages of renewal are taken
/// out. A handler that never receives stops the client's renewals as soon as a message of the app's
/// own stands before them.
#[derive(Debug)]
pub struct LiveSocket {
    sender: LiveSender,
    receiver: LiveReceiver,
}

impl LiveSocket {
    /// Receives the next message: text or binary. `None` when it is closed, by whomever.
    pub async fn recv(&mut self) -> Option<Message> {
        self.receiver.recv().await
    }

    /// Sends a message. [`Message::Close`] closes the socket once all before it is sent.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn send(&self, message: Message) -> Result<(), Closed> {
        self.sender.send(message).await
    }

    /// Returns whose connection it is, as the last token tells.
    #[must_use]
    pub fn caller(&self) -> Caller {
        self.sender.caller()
    }

    /// Tells whether the connection ended, and why. `None` while it is open, and when somebody just
    /// closed it.
    #[must_use]
    pub fn over(&self) -> Option<Over> {
        self.sender.over()
    }

    /// Splits it into two halves, for two tasks. It is closed when both are dropped.
    #[must_use]
    pub fn split(self) -> (LiveSender, LiveReceiver) {
        (self.sender, self.receiver)
    }
}

/// The half of a [`LiveSocket`] that sends. Clones send to the same client.
#[derive(Clone, Debug)]
pub struct LiveSender {
    messages: mpsc::Sender<Message>,
    state: watch::Receiver<State>,
}

impl LiveSender {
    /// As [`LiveSocket::send`].
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn send(&self, message: Message) -> Result<(), Closed> {
        self.messages.send(message).await.map_err(|_| Closed)
    }

    /// As [`LiveSocket::caller`].
    #[must_use]
    pub fn caller(&self) -> Caller {
        self.state.borrow().caller.clone()
    }

    /// As [`LiveSocket::over`].
    #[must_use]
    pub fn over(&self) -> Option<Over> {
        self.state.borrow().over
    }
}

/// The half of a [`LiveSocket`] that receives.
#[derive(Debug)]
pub struct LiveReceiver {
    messages: mpsc::Receiver<Message>,
    state: watch::Receiver<State>,
}

impl LiveReceiver {
    /// As [`LiveSocket::recv`].
    pub async fn recv(&mut self) -> Option<Message> {
        let message = self.messages.recv().await?;
        // It came before the end, but is taken after it.
        self.state.borrow().over.is_none().then_some(message)
    }

    /// As [`LiveSocket::caller`].
    #[must_use]
    pub fn caller(&self) -> Caller {
        self.state.borrow().caller.clone()
    }
}

/// The driver's end.
pub(super) struct Inside {
    pub(super) to_handler: mpsc::Sender<Message>,
    pub(super) from_handler: mpsc::Receiver<Message>,
    pub(super) state: watch::Sender<State>,
}

/// Returns both ends of a new socket.
pub(super) fn ends(caller: Caller) -> (LiveSocket, Inside) {
    let (to_handler, from_client) = mpsc::channel(QUEUE_LEN);
    let (to_client, from_handler) = mpsc::channel(QUEUE_LEN);
    let (state, seen) = watch::channel(State { caller, over: None });
    let socket = LiveSocket {
        sender: LiveSender {
            messages: to_client,
            state: seen.clone(),
        },
        receiver: LiveReceiver {
            messages: from_client,
            state: seen,
        },
    };
    let inside = Inside {
        to_handler,
        from_handler,
        state,
    };
    (socket, inside)
}

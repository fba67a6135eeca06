//! When to stop.

use std::io;

/// Returns a future that ends when the operator asks the process to stop: Ctrl-C, or SIGTERM
/// where there is one.
///
/// The process listens for the signals from this call on, not only once the future is awaited.
///
/// # Errors
/// When the system does not let the process listen for signals.
#[cfg(unix)]
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Returns a future that ends when the operator asks the process to stop with Ctrl-C.
///
/// # Errors
/// When the system does not let the process listen for it.
#[cfg(windows)]
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

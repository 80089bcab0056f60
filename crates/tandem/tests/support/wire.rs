//! A network that can be cut: everything between a program and an address goes through it.

use std::net::SocketAddr;

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

/// A port that leads to another one while it is whole.
pub(crate) struct Wire {
    address: SocketAddr,
    whole: watch::Sender<bool>,
    forwarding: AbortHandle,
}

impl Wire {
    pub(crate) async fn to(target: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (whole, state) = watch::channel(true);
        let forwarding = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, target, state.clone()));
            }
        });
        Ok(Self { address, whole, forwarding: forwarding.abort_handle() })
    }

    /// The address to give to the program, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Open connections break, new ones are closed at once.
    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.whole.send_replace(true);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.forwarding.abort();
    }
}

async fn carry(mut near: TcpStream, target: SocketAddr, mut state: watch::Receiver<bool>) {
    if !*state.borrow_and_update() {
        return;
    }
    let carried = async {
        let mut far = TcpStream::connect(target).await?;
        tokio::io::copy_bidirectional(&mut near, &mut far).await
    };
    // Either side may end it, and so may the cut: the peers see a closed connection in every case.
    tokio::select! {
        ended = carried => drop(ended),
        _ = state.wait_for(|whole| !whole) => {}
    }
}

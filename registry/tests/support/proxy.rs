//! A TCP proxy that can be cut, with a runtime of its own.

use std::ops::Deref;

pub(crate) use p2pchat_testkit::Cable;
use tokio::runtime::{Builder, Runtime};

/// The proxy. Ends on drop.
pub(crate) struct Proxy {
    proxy: p2pchat_testkit::Proxy,
    _runtime: Runtime,
}

impl Proxy {
    /// Starts one that leads nowhere yet.
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let proxy = runtime.block_on(p2pchat_testkit::Proxy::start(""));
        Self {
            proxy: proxy.unwrap(),
            _runtime: runtime,
        }
    }
}

impl Deref for Proxy {
    type Target = p2pchat_testkit::Proxy;

    fn deref(&self) -> &Self::Target {
        &self.proxy
    }
}

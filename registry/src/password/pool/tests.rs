//! The order in which the hashing threads take jobs.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::*;

const LONG: Duration = Duration::from_secs(30);

fn source(n: u8) -> Source {
    Source::from(SocketAddr::from(([10, 0, 0, n], 1)))
}

fn pool(queue: usize) -> Arc<HashPool> {
    let queue = NonZeroUsize::new(queue).unwrap();
    Arc::new(HashPool::start(NonZeroUsize::MIN, queue).unwrap())
}

/// Keeps the only thread busy until what is returned is dropped.
async fn occupy(pool: &Arc<HashPool>) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (begun, begins) = oneshot::channel();
    let pool = Arc::clone(pool);
    tokio::spawn(async move {
        let job = move |_: &mut Hasher| {
            let _ = begun.send(());
            let _ = released.recv_timeout(LONG);
        };
        pool.run(Priority::Unknown, source(0), job).await
    });
    begins.await.unwrap();
    release
}

/// Queues a stranger's job that reports its name, and waits until it is in the queue.
async fn queue(
    pool: &Arc<HashPool>,
    from: u8,
    name: &'static str,
    order: &mpsc::Sender<&'static str>,
) -> JoinHandle<Result<(), PoolError>> {
    queue_for(Priority::Unknown, pool, from, name, order).await
}

async fn queue_for(
    priority: Priority,
    pool: &Arc<HashPool>,
    from: u8,
    name: &'static str,
    order: &mpsc::Sender<&'static str>,
) -> JoinHandle<Result<(), PoolError>> {
    let (pool, order) = (Arc::clone(pool), order.clone());
    let (asked, asks) = oneshot::channel();
    let waiting = tokio::spawn(async move {
        let running = pool.run(priority, source(from), move |_| order.send(name).unwrap());
        tokio::pin!(running);
        // The first poll puts it into the queue.
        let first = futures::poll!(&mut running);
        let _ = asked.send(());
        match first {
            std::task::Poll::Ready(done) => done,
            std::task::Poll::Pending => running.await,
        }
    });
    asks.await.unwrap();
    waiting
}

#[tokio::test]
async fn what_one_address_has_queued_does_not_come_before_what_another_has() {
    let pool = pool(10);
    let release = occupy(&pool).await;
    let (order, done) = mpsc::channel();
    let mut waiting = Vec::new();
    for (from, name) in [(1, "flood 1"), (1, "flood 2"), (1, "flood 3"), (2, "user")] {
        waiting.push(queue(&pool, from, name, &order).await);
    }
    drop(release);
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    let done: Vec<_> = done.try_iter().collect();
    assert_eq!(done, ["flood 1", "user", "flood 2", "flood 3"]);
}

#[tokio::test]
async fn one_address_cannot_fill_the_queue_for_others() {
    let pool = pool(2);
    let release = occupy(&pool).await;
    let (order, _done) = mpsc::channel();
    let first = queue(&pool, 1, "flood 1", &order).await;
    let second = queue(&pool, 1, "flood 2", &order).await;
    let third = queue(&pool, 1, "flood 3", &order).await;
    assert_eq!(third.await.unwrap(), Err(PoolError::Full));
    let user = queue(&pool, 2, "user", &order).await;
    assert_eq!(second.await.unwrap(), Err(PoolError::Full), "it made room");
    drop(release);
    assert_eq!(first.await.unwrap(), Ok(()));
    assert_eq!(user.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn strangers_at_many_addresses_do_not_come_before_those_who_are_at_home() {
    let pool = pool(3);
    let release = occupy(&pool).await;
    let (order, done) = mpsc::channel();
    let mut waiting = Vec::new();
    for (from, name) in [(1, "flood 1"), (2, "flood 2"), (3, "flood 3")] {
        waiting.push(queue(&pool, from, name, &order).await);
    }
    for name in ["user 1", "user 2"] {
        waiting.push(queue_for(Priority::Known, &pool, 4, name, &order).await);
    }
    drop(release);
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    let done: Vec<_> = done.try_iter().collect();
    assert_eq!(done, ["user 1", "flood 1", "user 2", "flood 2", "flood 3"]);
}

#[tokio::test]
async fn abandoned_passwords_are_not_hashed() {
    let pool = pool(2);
    let release = occupy(&pool).await;
    let (order, done) = mpsc::channel();
    let gone = queue(&pool, 1, "gone", &order).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let user = queue(&pool, 1, "user", &order).await;
    drop(release);
    user.await.unwrap().unwrap();
    assert_eq!(done.try_iter().collect::<Vec<_>>(), ["user"]);
}

#[tokio::test]
async fn a_panic_costs_its_job_the_answer_and_nobody_else_anything() {
    let pool = pool(2);
    let broken = pool.run(Priority::Unknown, source(1), |_| panic!("on purpose"));
    let broken: Result<(), _> = broken.await;
    assert_eq!(broken, Err(PoolError::Closed));
    assert_eq!(pool.run(Priority::Unknown, source(1), |_| 7).await, Ok(7));
    pool.stop().await;
    assert_eq!(
        pool.run(Priority::Unknown, source(1), |_| 7).await,
        Err(PoolError::Closed)
    );
}

//! What is older than the user wants to keep it.

use std::time::{Duration, SystemTime};

use p2pchat_model::Timestamp;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::world::{Device, LONG};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn wall() -> Timestamp {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp(0).after(now.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_old_by_the_registrys_clock_goes_and_no_other_clock_deletes() {
    let ann = Device::new().await;
    let id = ann.handle().create_group("notes".parse().unwrap()).await;
    let id = id.unwrap();
    ann.say(id, "old").await;
    // Without a registry nothing says that the time is right.
    ann.handle().set_keep(Some(Duration::ZERO)).await.unwrap();
    ann.say(id, "old too").await;
    assert_eq!(ann.texts(id).await, ["old", "old too"]);
    ann.handle().set_keep(Some(7 * DAY)).await.unwrap();
    let later = wall().after(8 * DAY);
    ann.handle().set_registry_time(Some(later.0)).await.unwrap();
    ann.say(id, "new").await;
    let gone = async {
        while ann.texts(id).await != ["new"] {
            yield_now().await;
        }
    };
    timeout(LONG, gone)
        .await
        .expect("it goes within an hour, and at the start");
}

//! Apps that poll: offsets, confirmation, lifetimes, filters, waiting.

use std::time::Duration;

use tandem_lanes::{Pull, PullError, PushSpec};
use tandem_model::{EventKinds, Filter, Lifetime, Topic, Topics, UpstreamId};

use crate::support::{BACKLOG, Service, bot, id, update};

/// The id that apps see of the first update.
const FIRST: i64 = 1001;

async fn five(t: &mut Service) {
    for text in ["a", "b", "c", "d", "e"] {
        t.says(1, text).await;
    }
}

#[tokio::test]
async fn an_offset_means_what_it_means_to_telegram() {
    let mut t = Service::start().await;
    let all = ["1:a", "1:b", "1:c", "1:d", "1:e"];
    let app = t.app("main").await;
    assert!(
        t.pull(app, 0).await.is_empty()
            && t.pull(app, 5).await.is_empty()
            && t.pull(app, -1).await.is_empty()
    );
    five(&mut t).await;
    assert_eq!(t.pull(app, 0).await, all, "0 begins with the oldest");
    assert_eq!(t.pull(app, 0).await, all, "and the same question has the same answer");
    assert_eq!(t.pull(app, 1).await, all, "as a library does that has seen nothing");
    assert_eq!(t.pull(app, FIRST + 5 + 11).await, all, "far too large is ignored");
    assert_eq!(t.pull(app, FIRST + 2).await, all[2..], "confirms what is before");
    assert_eq!(t.pull(app, 0).await, all[2..], "and that cannot be undone");
    assert_eq!(t.pull(app, FIRST).await, all[2..]);
    assert_eq!(t.pull(app, -10).await, all[2..], "fewer are there: nothing is dropped");
    assert_eq!(t.pull(app, -2).await, all[3..]);
    assert_eq!(t.pull(app, -1).await, all[4..]);
    assert!(t.pull(app, FIRST + 5 + 10).await.is_empty(), "a little too large confirms everything");
    assert!(t.pull(app, 0).await.is_empty());
    t.says(1, "f").await;
    assert_eq!(t.pull(app, FIRST + 5).await, ["1:f"]);
}

#[tokio::test]
async fn what_is_confirmed_is_on_disk_before_the_answer() {
    let mut t = Service::start().await;
    let app = t.app("main").await;
    five(&mut t).await;
    t.pull(app, FIRST + 3).await;
    t.restart().await;
    assert_eq!(t.pull(app, 0).await, ["1:d", "1:e"]);
}

#[tokio::test]
async fn apps_do_not_disturb_each_other() {
    let mut t = Service::start().await;
    let (main, other) = (t.app("main").await, t.app("other").await);
    five(&mut t).await;
    let mut owned = update(1, 3, "1:press");
    owned.owner = Some(id(other));
    t.append(owned).await;
    assert_eq!(t.pull(main, FIRST + 4).await, ["1:e"]);
    assert_eq!(t.pull(other, 0).await.len(), 6);
    assert_eq!(t.lanes.drop_pending(other, BACKLOG).await.unwrap(), 6);
    assert_eq!(t.state(other).await.passed.skipped, 6);
    assert!(t.pull(other, 0).await.is_empty());
    assert_eq!(t.pull(main, 0).await, ["1:e"]);
    assert_eq!(t.lanes.pending_count(main, BACKLOG).await.unwrap(), 1);
}

#[tokio::test]
async fn limits_bound_an_answer() {
    let mut t = Service::start().await;
    let app = t.app("main").await;
    five(&mut t).await;
    let ask = |limit, max_bytes| Pull { offset: 0, limit, max_bytes, backlog: BACKLOG };
    assert_eq!(t.lanes.pull(app, ask(2, 1 << 20)).await.unwrap().len(), 2);
    assert_eq!(t.lanes.pull(app, ask(100, 1)).await.unwrap().len(), 1, "one, however large");
    assert_eq!(t.lanes.pull(app, ask(100, 7)).await.unwrap().len(), 3);
    let ids: Vec<i64> = t
        .lanes
        .pull(app, ask(100, 1 << 20))
        .await
        .unwrap()
        .iter()
        .map(|one| one.virtual_id.unwrap().get())
        .collect();
    assert_eq!(ids, [FIRST, FIRST + 1, FIRST + 2, FIRST + 3, FIRST + 4]);
}

#[tokio::test]
async fn ids_never_go_back_when_those_of_telegram_do() {
    let mut t = Service::start().await;
    let app = t.app("main").await;
    five(&mut t).await;
    t.upstream_restarts_at(UpstreamId::new(3).unwrap());
    t.says(1, "f").await;
    assert_eq!(t.pull(app, FIRST + 5).await, ["1:f"]);
}

#[tokio::test]
async fn what_has_lived_its_time_is_left_out_and_counted_once() {
    let mut t = Service::start().await;
    let app = t.app("main").await;
    for (text, seconds) in [("1:q1", 30), ("1:q2", 30)] {
        let mut query = update(1, 1, text);
        query.lifetime = Lifetime::Seconds(seconds);
        t.append(query).await;
    }
    t.says(1, "a").await;
    let mut query = update(1, 1, "1:q3");
    query.lifetime = Lifetime::Seconds(30);
    t.append(query).await;
    t.says(1, "b").await;
    assert_eq!(t.pull(app, 0).await.len(), 5);
    t.clock.advance(Duration::from_secs(30));
    for _ in 0..3 {
        assert_eq!(t.pull(app, 0).await, ["1:a", "1:b"]);
    }
    assert_eq!(t.state(app).await.passed.expired, 2, "those before the first are passed for good");
    assert!(t.pull(app, FIRST + 5).await.is_empty());
    assert_eq!(t.state(app).await.passed.expired, 3);
    t.says(1, "old").await;
    t.clock.advance(Duration::from_hours(24));
    assert!(t.pull(app, 0).await.is_empty());
    assert_eq!(t.state(app).await.passed.expired, 4);
}

#[tokio::test]
async fn a_new_filter_decides_about_later_updates_only() {
    let mut t = Service::start().await;
    let app = t.app("main").await;
    let topic = |number| Topic::new(number).unwrap();
    let with_topic = |text: &str, number| {
        let mut event = update(1, 0, text);
        event.topic = topic(number);
        event
    };
    t.append(with_topic("1:reaction", 9)).await;
    let narrow = Filter { topics: Topics::of(&[topic(0)]), kinds: EventKinds::ALL, ..Filter::UPDATES };
    t.store.set_filter(t.lease(), bot(), id(app), narrow).await.unwrap();
    t.append(with_topic("1:another reaction", 9)).await;
    t.append(with_topic("1:message", 0)).await;
    assert_eq!(t.pull(app, 0).await, ["1:reaction", "1:message"]);
}

#[tokio::test]
async fn a_long_poll_ends_when_something_comes_for_this_app() {
    let mut t = Service::start().await;
    let (main, other) = (t.app("main").await, t.app("other").await);
    let lanes = t.lanes.clone();
    let waits = tokio::spawn(async move { lanes.wait_for_events(main, BACKLOG).await });
    let mut owned = update(1, 3, "1:press");
    owned.owner = Some(id(other));
    t.append(owned).await;
    t.lanes.wait_for_events(other, BACKLOG).await.unwrap();
    assert!(!waits.is_finished(), "it was for the other app");
    t.says(1, "hi").await;
    tokio::time::timeout(Duration::from_secs(10), waits).await.expect("it ends").unwrap().unwrap();
    assert_eq!(t.pull(main, 0).await, ["1:hi"]);
}

#[tokio::test]
async fn a_lane_is_pushed_or_pulled_and_not_both() {
    let mut t = Service::start().await;
    let (lane, _) = t.desk("app", PushSpec::webhook()).await;
    let pull = Pull { offset: 0, limit: 1, max_bytes: 1, backlog: BACKLOG };
    assert!(matches!(t.lanes.pull(lane, pull).await, Err(PullError::Pushed { .. })));
    t.detach(lane).await;
    assert!(t.lanes.pull(lane, pull).await.is_ok());
}

//! Three talk at once, much: whether everything arrives, once and in order.

use std::time::{Duration, Instant};

use anyhow::Result;
use p2pchat_model::DeliveryState;

use crate::network::person::Person;
use crate::{Report, Spread};

/// How long a text may take to its last member, with all that were said before it.
const LIMIT: Duration = Duration::from_secs(120);

/// Everybody says this many texts, one after the other without waiting; then what became
/// of each is looked at. What is marked as sent has to be heard, once and in order; what is
/// marked as lost, never.
pub(super) async fn talk(people: [&Person; 3], texts: usize, report: &mut Report) -> Result<()> {
    let began = Instant::now();
    for number in 1..=texts {
        for person in people {
            person.says(&text(person, number)).await?;
        }
    }
    let mut sent = 0;
    for (speaker, listener) in pairs(people) {
        sent += check_pair(speaker, listener, texts, began, report).await?;
    }
    let took = began.elapsed();
    let all = 6 * texts;
    report.figure("texts sent", format!("{sent} of {all} in {took:.1?}"));
    // The rest is told to be lost, for want of a better network.
    report.check(
        sent * 10 >= all * 9,
        format!("only {sent} of {all} are sent"),
    );
    Ok(())
}

/// Returns how many of the texts are marked as sent.
async fn check_pair(
    speaker: &Person,
    listener: &Person,
    texts: usize,
    began: Instant,
    report: &mut Report,
) -> Result<usize> {
    let mut sent = Vec::new();
    let mut lost = Vec::new();
    for number in 1..=texts {
        let text = text(speaker, number);
        match speaker.fate(&text, listener.address, began, LIMIT).await?.1 {
            DeliveryState::Sent => sent.push(text),
            DeliveryState::Failed(_) => lost.push(text),
            // On its way still, for all that is known: it may come at any time.
            DeliveryState::Unconfirmed | DeliveryState::Sending => {}
        }
    }
    let mut heard = listener.heard_from(speaker.address);
    heard.retain(|text| text.contains('#'));
    let pair = format!("from {} to {}", speaker.name, listener.name);
    let is_twice = |text| heard.iter().filter(|heard| *heard == text).count() > 1;
    report.check(
        !heard.iter().any(is_twice),
        format!("{pair}, doubled: {heard:?}"),
    );
    report.check(
        !heard.iter().any(|text| lost.contains(text)),
        format!("{pair}, heard {heard:?} in spite of lost {lost:?}"),
    );
    heard.retain(|text| sent.contains(text));
    report.check(
        heard == sent,
        format!("{pair}, heard {heard:?} of sent {sent:?}"),
    );
    Ok(sent.len())
}

/// How long a single text takes, said where nothing else is said: to be heard, and to be
/// known as sent.
pub(super) async fn one_by_one(
    [speaker, listener]: [&Person; 2],
    texts: usize,
    report: &mut Report,
) -> Result<()> {
    let (mut heard, mut known) = (Spread::default(), Spread::default());
    for number in 1..=texts {
        let text = format!("one by one, {number}");
        let said = speaker.says(&text).await?;
        heard.add(listener.hears(&text, said, LIMIT).await?);
        known.add(speaker.fate(&text, listener.address, said, LIMIT).await?.0);
    }
    report.figure("a text is heard", heard);
    report.figure("it is marked as sent", known);
    Ok(())
}

fn text(person: &Person, number: usize) -> String {
    format!("{}#{number}", person.name)
}

fn pairs(people: [&Person; 3]) -> impl Iterator<Item = (&Person, &Person)> {
    let all = people
        .into_iter()
        .flat_map(move |one| people.into_iter().map(move |other| (one, other)));
    all.filter(|(one, other)| one.address != other.address)
}

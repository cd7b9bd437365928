//! Talk logs in pieces, forks and broken rules.

use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::prelude::*;

use super::*;

/// A hash that is good enough here: it differs where headers do.
fn named(header: Header) -> Named {
    let mut hasher = DefaultHasher::new();
    format!("{header:?}").hash(&mut hasher);
    let mut id = [1; 32];
    id[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    let id = EntryId(id);
    let signature = Signature([0; 64]);
    Named {
        id,
        header,
        signature,
    }
}

fn log() -> TalkLog {
    TalkLog::new(ConversationId([1; 32]), EntryId([2; 32]))
}

/// The entry behind another. The salt makes branches.
fn after(before: Option<&Named>, salt: u8) -> Named {
    named(Header {
        conversation: ConversationId([1; 32]),
        join: EntryId([2; 32]),
        position: before.map_or(0, |before| before.header.position + 1),
        previous: before.map_or(NOTHING, |before| before.id),
        clock: before.map_or(Clock::from_millis(1), |before| {
            before.header.clock.next(Clock::ZERO).unwrap_or(Clock::MAX)
        }),
        kind: 1,
        body_len: 20,
        body_hash: [salt; 32],
    })
}

/// So many entries behind those, which are the first of the result.
fn grown(mut chain: Vec<Named>, more: usize, salt: u8) -> Vec<Named> {
    for _ in 0..more {
        chain.push(after(chain.last(), salt));
    }
    chain
}

fn signed(_: &Named) -> bool {
    true
}

fn positions(log: &TalkLog) -> Vec<u64> {
    log.iter().map(|entry| entry.header.position).collect()
}

#[test]
fn a_log_is_held_newest_first_with_its_gaps_in_sight() {
    let chain = grown(Vec::new(), 10, 0);
    let mut log = log();
    assert_eq!(log.take(&chain[7..], signed).unwrap().new, [7, 8, 9]);
    let head = log.head(u64::MAX).unwrap();
    assert_eq!((head.lowest, head.next, head.id), (7, 10, chain[9].id));
    log.take(&chain[2..4], signed).unwrap();
    assert_eq!(log.missing(0..10), Some(4..7));
    assert_eq!(log.missing(0..4), Some(0..2));
    assert_eq!(log.take(&chain[4..8], signed).unwrap().new, [4, 5, 6]);
    assert_eq!(log.head(u64::MAX).unwrap().lowest, 2);
    assert_eq!(log.missing(0..10), Some(0..2));
    let again = log.take(&chain[4..8], signed).unwrap();
    assert_eq!(again, Taken::default());
}

#[test]
fn one_signature_vouches_for_its_whole_stretch_and_a_wrong_one_for_nothing() {
    let chain = grown(Vec::new(), 3, 0);
    let mut log = log();
    let last_alone = |entry: &Named| entry.header.position == 2;
    assert_eq!(log.take(&chain[..2], last_alone), Err(NotTaken::Signature));
    assert_eq!(positions(&log), [0; 0]);
    log.take(&chain, last_alone).unwrap();
    assert_eq!(positions(&log), [0, 1, 2]);
}

#[test]
fn a_stretch_that_is_no_chain_or_of_another_log_costs_the_log_nothing() {
    let chain = grown(Vec::new(), 3, 0);
    let mut log = log();
    let gap = [chain[0], chain[2]];
    assert_eq!(log.take(&gap, signed), Err(NotTaken::NotAChain));
    let mut other = chain[0];
    other.header.join = EntryId([3; 32]);
    assert_eq!(log.take(&[other], signed), Err(NotTaken::OtherLog));
    assert_eq!(log.take(&[], signed), Err(NotTaken::Empty));
    assert_eq!((log.end(), log.head(u64::MAX)), (None, None));
}

#[test]
fn a_fork_ends_the_log_where_it_begins() {
    let trunk = grown(Vec::new(), 5, 0);
    let (left, right) = (grown(trunk.clone(), 4, 1), grown(trunk, 4, 2));
    let mut log = log();
    log.take(&left, signed).unwrap();
    let taken = log.take(&right, signed).unwrap();
    assert!(taken.ends);
    assert_eq!(positions(&log), [0, 1, 2, 3, 4]);
    let (one, other) = (left[5], right[5]);
    assert_eq!(log.end(), Some(&End::Fork { one, other }));
    assert!(log.end().unwrap().is_lowest());
    assert_eq!(log.take(&left, signed).unwrap(), Taken::default());
    assert_eq!(log.head(u64::MAX).unwrap().next, 5);
}

#[test]
fn branches_that_meet_above_their_fork_end_there_until_it_is_found() {
    let trunk = grown(Vec::new(), 2, 0);
    let (left, right) = (grown(trunk.clone(), 6, 1), grown(trunk, 6, 2));
    let of_left = |entries: &[Named]| {
        let mut log = log();
        log.take(entries, signed).unwrap();
        log
    };
    // Beside what is held; then next to it, above and below.
    for (held, piece, ends_at) in [
        (&left[..], &right[6..7], 5),
        (&left[..6], &right[6..], 5),
        (&left[6..], &right[3..6], 5),
    ] {
        let mut log = of_left(held);
        assert!(log.take(piece, signed).unwrap().ends);
        let end = log.end().unwrap();
        assert_eq!((end.position(), end.is_lowest()), (ends_at, false));
        log.take(&left, signed).unwrap();
        log.take(&right, signed).unwrap();
        let end = log.end().unwrap();
        assert_eq!((end.position(), end.is_lowest()), (2, true));
        assert_eq!(positions(&log), [0, 1]);
    }
}

#[test]
fn a_lower_fork_counts_whichever_is_found_first() {
    let trunk = grown(Vec::new(), 6, 0);
    let high = grown(trunk.clone(), 2, 1);
    let low = grown(trunk[..3].to_vec(), 5, 2);
    let whole = grown(trunk, 2, 0);
    for order in [
        [&whole, &high, &low],
        [&low, &high, &whole],
        [&high, &low, &whole],
    ] {
        let mut log = log();
        for branch in order {
            log.take(branch, signed).unwrap();
        }
        assert_eq!(log.end().unwrap().position(), 3);
        assert_eq!(positions(&log), [0, 1, 2]);
    }
}

#[test]
fn a_proof_with_a_wrong_signature_ends_nothing() {
    let trunk = grown(Vec::new(), 2, 0);
    let (left, right) = (grown(trunk.clone(), 2, 1), grown(trunk, 2, 2));
    let mut log = log();
    log.take(&left, signed).unwrap();
    let all_but_the_first = |entry: &Named| entry.id != right[2].id;
    let taken = log.take(&right, all_but_the_first);
    assert_eq!(taken, Err(NotTaken::Unproven { position: 2 }));
    assert_eq!((log.end(), log.head(u64::MAX).unwrap().next), (None, 4));
}

#[test]
fn a_held_entry_with_a_wrong_signature_is_forgotten_when_it_has_to_prove_a_fork() {
    let trunk = grown(Vec::new(), 2, 0);
    let (left, right) = (grown(trunk.clone(), 2, 1), grown(trunk, 2, 2));
    let mut log = log();
    log.take(&left, signed).unwrap();
    let all_but_a_held_one = |entry: &Named| entry.id != left[2].id;
    let taken = log.take(&right, all_but_a_held_one);
    assert_eq!(taken, Err(NotTaken::Unproven { position: 2 }));
    assert_eq!((log.end(), log.head(u64::MAX).unwrap().next), (None, 2));
    log.take(&right, signed).unwrap();
    log.take(&left, signed).unwrap();
    assert_eq!(log.end().unwrap().position(), 2);
}

#[test]
fn what_is_below_the_floor_is_not_kept_and_does_not_come_back() {
    let chain = grown(Vec::new(), 6, 0);
    let mut log = log();
    log.take(&chain, signed).unwrap();
    log.forget_below(4);
    assert_eq!(positions(&log), [4, 5]);
    assert_eq!(log.take(&chain, signed).unwrap().new, [0; 0]);
    assert_eq!(
        (log.missing(0..6), log.head(u64::MAX).unwrap().lowest),
        (None, 4)
    );
}

#[test]
fn a_rule_that_the_log_alone_shows_ends_it_before_the_entry() {
    let chain = grown(Vec::new(), 3, 0);
    type Break = (fn(&mut Header), u64);
    let breaks: [Break; 6] = [
        (|header| header.clock = Clock::from_millis(1), 3),
        (|header| header.position = 7, 3),
        // It names one before it, and claims to be the first.
        (|header| header.position = 0, 0),
        (|header| header.body_len = 3, 3),
        (|header| header.body_len = u32::MAX, 3),
        (|header| header.clock = Clock::from_number(1 << 63), 3),
    ];
    for (at, (break_it, ends_at)) in breaks.into_iter().enumerate() {
        let mut header = after(chain.last(), 0).header;
        break_it(&mut header);
        let bad = named(header);
        let behind = after(Some(&bad), 0);
        let mut log = log();
        let taken = log.take(&[&chain[..], &[bad, behind]].concat(), signed);
        assert!(taken.unwrap().ends, "{at}");
        assert_eq!(log.end().unwrap().position(), ends_at, "{at}");
        assert_eq!(positions(&log), (0..ends_at).collect::<Vec<_>>(), "{at}");
    }
}

#[test]
fn a_broken_rule_is_found_when_the_gap_below_it_closes() {
    let mut chain = grown(Vec::new(), 3, 0);
    let mut header = after(chain.last(), 0).header;
    header.clock = Clock::from_millis(1);
    chain = grown([&chain[..], &[named(header)]].concat(), 2, 0);
    let mut log = log();
    assert!(!log.take(&chain[3..], signed).unwrap().ends);
    assert!(log.take(&chain[..3], signed).unwrap().ends);
    assert_eq!(positions(&log), [0, 1, 2]);
}

proptest! {
    /// Any pieces in any order give the same log and the same end, once both branches were there
    /// whole while the other was held.
    #[test]
    fn shuffled_pieces_of_a_forked_log_give_one_log(
        fork in 0_usize..8, length in 8_usize..12,
        pieces in prop::collection::vec((any::<bool>(), 0_usize..8, 1_usize..6), 0..12),
        first in any::<bool>(),
    ) {
        let trunk = grown(Vec::new(), fork, 0);
        let left = grown(trunk.clone(), length - fork, 1);
        let right = grown(trunk, length - fork, 2);
        let whole = [first, !first, first].map(|is_left| (is_left, 0, length));
        let mut log = log();
        for (is_left, from, count) in pieces.into_iter().chain(whole) {
            let branch = if is_left { &left } else { &right };
            log.take(&branch[from..(from + count).min(length)], signed).unwrap();
        }
        let end = log.end().map(|end| (end.position(), end.is_lowest()));
        prop_assert_eq!(end, Some((fork as u64, true)));
        prop_assert_eq!(positions(&log), (0..fork as u64).collect::<Vec<_>>());
    }
}

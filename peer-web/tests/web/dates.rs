//! Dates and times in the words of the browser.

use p2pchat_model::Timestamp;
use p2pchat_web::browser::{dates, page};
use p2pchat_web::logic::clock::{LocalDay, Zone};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::js;

/// Sunday, 22 November 2026.
const DAY: LocalDay = LocalDay(20_779);

#[wasm_bindgen_test]
fn days_are_named_as_people_name_them() {
    assert_eq!(dates::day(DAY, DAY), "Today");
    assert_eq!(dates::day(LocalDay(DAY.0 - 1), DAY), "Yesterday");
    let words = |day: i64| dates::day(LocalDay(day), DAY).replace(',', "");
    assert_eq!(words(DAY.0 - 6), "Monday 16 November");
    assert_eq!(words(DAY.0 + 1), "Monday 23 November");
    assert_eq!(words(DAY.0 - 365), "Saturday 22 November 2025");
    assert_eq!(words(19_782), "Thursday 29 February 2024");
}

#[wasm_bindgen_test]
fn a_time_is_that_of_the_clock_here_and_belongs_to_the_day_here() {
    let at = |code: &str| Timestamp(js(code).as_f64().unwrap() as u64);
    let noon = at("new Date(2026, 10, 22, 14, 3).getTime()");
    assert_eq!(dates::time(noon), "14:03");
    let midnight = at("new Date(2026, 10, 22, 0, 0).getTime()");
    assert_eq!(dates::time(midnight), "00:00");
    let zone = Zone::new(page::zone_offset);
    assert_eq!(zone.day(noon), DAY);
    assert_eq!(zone.day(midnight), DAY);
    assert_eq!(zone.day(Timestamp(midnight.0 - 1)), LocalDay(DAY.0 - 1));
}

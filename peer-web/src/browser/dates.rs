//! Dates and times as people write them, by the browser's `Intl.DateTimeFormat`.
//!
//! In English, like all words of the page, and with 24 hours, like the terminal.

use js_sys::Intl::{
    DateTimeFormat, DateTimeFormatOptions, DayFormat, HourCycle, MonthFormat, NumericFormat,
    WeekdayFormat, YearFormat,
};
use js_sys::{Array, Date};
use p2pchat_model::Timestamp;
use wasm_bindgen::{JsCast, JsValue};

use crate::logic::clock::LocalDay;

/// The formats. Making one takes longer than drawing a row.
struct Formats {
    time: DateTimeFormat,
    day: DateTimeFormat,
    day_and_year: DateTimeFormat,
    short: DateTimeFormat,
}

thread_local! {
    static FORMATS: Formats = Formats {
        time: format(&time_options()),
        day: format(&day_options()),
        day_and_year: {
            let options = day_options();
            options.set_year(YearFormat::Numeric);
            format(&options)
        },
        short: {
            let options: DateTimeFormatOptions = js_sys::Object::new().unchecked_into();
            options.set_day(DayFormat::Numeric);
            options.set_month(MonthFormat::Short);
            format(&options)
        },
    };
}

fn time_options() -> DateTimeFormatOptions {
    let options: DateTimeFormatOptions = js_sys::Object::new().unchecked_into();
    options.set_hour(NumericFormat::TwoDigit);
    options.set_minute(NumericFormat::TwoDigit);
    options.set_hour_cycle(HourCycle::H23);
    options
}

/// A [`LocalDay`] is in the user's time zone already.
fn day_options() -> DateTimeFormatOptions {
    let options: DateTimeFormatOptions = js_sys::Object::new().unchecked_into();
    options.set_weekday(WeekdayFormat::Long);
    options.set_day(DayFormat::Numeric);
    options.set_month(MonthFormat::Long);
    options.set_time_zone("UTC");
    options
}

fn format(options: &DateTimeFormatOptions) -> DateTimeFormat {
    DateTimeFormat::new(&Array::of1(&"en-GB".into()), options.unchecked_ref())
}

fn formatted(format: &DateTimeFormat, date: &Date) -> String {
    // Fails for dates beyond the year 275760.
    let text = format.format().call1(&JsValue::UNDEFINED, date);
    text.ok()
        .and_then(|text| text.as_string())
        .unwrap_or_default()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "below 2^53 milliseconds, which is the year 287396"
)]
fn date(milliseconds: i64) -> Date {
    Date::new(&JsValue::from_f64(milliseconds as f64))
}

/// Hours and minutes on the user's clock: `14:03`.
#[must_use]
pub fn time(at: Timestamp) -> String {
    let at = date(i64::try_from(at.0).unwrap_or(i64::MAX));
    FORMATS.with(|formats| formatted(&formats.time, &at))
}

/// A moment in a list: `14:03` today, else `16 Nov`.
#[must_use]
pub fn short(at: Timestamp) -> String {
    let day = Date::to_date_string;
    let moment = date(i64::try_from(at.0).unwrap_or(i64::MAX));
    if day(&moment) == day(&Date::new_0()) {
        return time(at);
    }
    FORMATS.with(|formats| formatted(&formats.short, &moment))
}

/// A day as people call it: `Today`, `Yesterday`, `Monday 16 November`, and with the year if
/// that is not this year.
#[must_use]
pub fn day(day: LocalDay, today: LocalDay) -> String {
    if let Some(name) = day.name(today) {
        return name.to_owned();
    }
    let [date, today] = [day, today].map(|day| date(day.utc_start()));
    FORMATS.with(|formats| {
        if date.get_utc_full_year() == today.get_utc_full_year() {
            formatted(&formats.day, &date)
        } else {
            formatted(&formats.day_and_year, &date)
        }
    })
}

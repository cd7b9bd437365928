//! Two soft notes, made in the browser: there is no file to load.

use web_sys::{AudioContext, OscillatorType};

/// Loudness, of 1.
const LOUDNESS: f32 = 0.08;
/// Length of a note, in seconds.
const NOTE: f64 = 0.22;

thread_local! {
    /// The one context of the page: browsers give a page only a few. `None` in a browser
    /// without sound. Made when the first sound is played.
    static CONTEXT: Option<AudioContext> = AudioContext::new().ok();
}

/// Plays two notes: rising for a message, a wider step for a request.
pub fn play(request: bool) {
    let notes = if request {
        [523.25, 783.99]
    } else {
        [659.25, 783.99]
    };
    CONTEXT.with(|context| {
        let Some(context) = context else { return };
        // A context that was made before the first click is suspended. Where the browser still
        // wants that click, the page stays silent.
        let _ = context.resume();
        for (index, frequency) in notes.into_iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "0 or 1")]
            let _ = note(context, frequency, index as f64 * NOTE * 0.6);
        }
    });
}

fn note(context: &AudioContext, frequency: f32, after: f64) -> Result<(), wasm_bindgen::JsValue> {
    let begin = context.current_time() + after;
    let gain = context.create_gain()?;
    gain.gain().set_value_at_time(0.0, begin)?;
    gain.gain()
        .linear_ramp_to_value_at_time(LOUDNESS, begin + 0.02)?;
    gain.gain()
        .exponential_ramp_to_value_at_time(0.0001, begin + NOTE)?;
    let tone = context.create_oscillator()?;
    tone.set_type(OscillatorType::Sine);
    tone.frequency().set_value(frequency);
    tone.connect_with_audio_node(&gain)?;
    gain.connect_with_audio_node(&context.destination())?;
    tone.start_with_when(begin)?;
    tone.stop_with_when(begin + NOTE + 0.05)
}

//! The name of the user in what others write.

use p2pchat_model::{Username, mentions};
use ratatui::text::Span;

use super::theme::Theme;

/// A row of a text in which each mention of the user attracts attention.
pub(super) fn light(
    row: Vec<Span<'static>>,
    user: Option<Username>,
    theme: Theme,
) -> Vec<Span<'static>> {
    let text: String = row.iter().map(|span| span.content.as_ref()).collect();
    let mut lit = vec![false; text.len()];
    for range in user.into_iter().flat_map(|user| mentions(&text, user)) {
        lit[range].fill(true);
    }
    if !lit.contains(&true) {
        return row;
    }
    let mut lit = lit.as_slice();
    let mut out = Vec::new();
    for span in row {
        let (of_span, rest) = lit.split_at(span.content.len());
        let mut content: &str = &span.content;
        for run in of_span.chunk_by(|one, next| one == next) {
            let (text, behind) = content.split_at(run.len());
            let style = if run[0] { theme.badge() } else { span.style };
            out.push(Span::styled(text.to_owned(), style));
            content = behind;
        }
        lit = rest;
    }
    out
}

//! Finds the scripts and style sheets that are written out within a page, to name them in
//! the policy that keeps out all others.

/// What stands in the elements of this name (`script` or `style`) that have no `src`.
/// The page is our own, made by trunk: this need not understand what others write.
pub(super) fn contents<'a>(html: &'a str, element: &str) -> Vec<&'a str> {
    let lower = html.to_ascii_lowercase();
    let (start, end) = (format!("<{element}"), format!("</{element}"));
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(tag) = lower[at..].find(&start).map(|offset| at + offset) {
        let Some(body) = lower[tag..].find('>').map(|offset| tag + offset + 1) else {
            break;
        };
        let Some(close) = lower[body..].find(&end).map(|offset| body + offset) else {
            break;
        };
        let name_ends = lower[tag + start.len()..]
            .starts_with(|next: char| next == '>' || next.is_ascii_whitespace());
        if name_ends && !has_source(&lower[tag..body]) && close > body {
            found.push(&html[body..close]);
        }
        at = close;
    }
    found
}

fn has_source(tag: &str) -> bool {
    tag.split_ascii_whitespace()
        .skip(1)
        .any(|attribute| attribute.starts_with("src="))
}

#[cfg(test)]
mod tests {
    use super::contents;

    #[test]
    fn scripts_are_found_as_they_stand() {
        let html = "<html><SCRIPT type=\"module\">\nimport x from 'a';\n</script>\
                    <script src=\"/b.js\"></script><scripted>no</scripted>\
                    <script nonce='1'>let y = 1;</script>";
        assert_eq!(
            contents(html, "script"),
            ["\nimport x from 'a';\n", "let y = 1;"]
        );
    }

    #[test]
    fn a_page_cut_short_has_none() {
        for html in ["", "<script", "<script>", "<script>x", "text"] {
            assert!(contents(html, "script").is_empty(), "{html}");
        }
    }
}

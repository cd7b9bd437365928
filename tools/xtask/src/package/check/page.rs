//! That a bridge has the page inside.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::root::{ALICE, Root};
use crate::demo::Bridge;
use crate::process;

/// What every WebAssembly module begins with.
const WASM: &[u8] = b"\0asm";
/// How much of the page's program there is at least, in bytes: an empty one has none of it.
const LEAST: usize = 500_000;

/// Starts the bridge of a root and gets the page with its script and its program.
pub(super) async fn is_served(root: &Root, programs: &str) -> Result<()> {
    let mut command = root.command(ALICE, &format!("{programs}/p2pchat-bridge"))?;
    command.args(["--registry", "127.0.0.1", "--profile", "page"]);
    let bridge = Bridge::start(&mut command).await?;
    let (origin, _) = bridge.url.split_once('#').context("a URL without a key")?;
    let html = String::from_utf8(get(root, origin).await?)?;
    ensure!(
        html.contains("<title>p2pchat</title>"),
        "this is another page: {html}"
    );
    let script = name_in(&html, ".js").context("the page has no script")?;
    let text = String::from_utf8(get(root, &format!("{origin}{script}")).await?)?;
    // The script names it too.
    let program = name_in(&html, ".wasm").or_else(|| name_in(&text, ".wasm"));
    let program = program.context("the page has no program")?;
    let module = get(root, &format!("{origin}{program}")).await?;
    ensure!(module.starts_with(WASM), "{program} is no WebAssembly");
    ensure!(
        module.len() > LEAST,
        "{program} has {} bytes only",
        module.len()
    );
    println!(
        "{origin} has {script} and {program}, of {} bytes",
        module.len()
    );
    Ok(())
}

async fn get(root: &Root, url: &str) -> Result<Vec<u8>> {
    let file = tempfile::NamedTempFile::new()?;
    let mut curl = root.beside("curl")?;
    curl.args(["--fail", "--silent", "--show-error", "--compressed"])
        .args(["--noproxy", "*", "--max-time", "20", "--output"])
        .arg(file.path())
        .arg(url);
    process::output(&mut curl).await?;
    Ok(std::fs::read(file.path())?)
}

/// The name of a file that a page loads, by its ending.
fn name_in<'a>(html: &'a str, ending: &str) -> Option<&'a str> {
    let is_name = |part: &&str| Path::new(part).extension().is_some() && part.ends_with(ending);
    let parts = html.split(['"', '\'', '/']);
    parts
        .filter(|part| !part.contains(char::is_whitespace))
        .find(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_its_script_and_its_program() {
        let html = "<script>import a from '/p-1f.js'; b('/p-1f_bg.wasm')</script>";
        assert_eq!(name_in(html, ".js"), Some("p-1f.js"));
        assert_eq!(name_in(html, ".wasm"), Some("p-1f_bg.wasm"));
        assert_eq!(name_in("<p>no .js file</p>", ".js"), None);
    }
}

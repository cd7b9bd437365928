//! What is in which package, and where.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Release;
use super::build::Built;
use super::documents::section;
use super::tree::Tree;
use super::units;
use crate::cargo::{ALL, root};

/// The name of the desktop entry and of the AppStream file, as AppStream wants names.
const APP: &str = "io.github.p2pchat.p2pchat";
/// Licences of what is linked in.
const THIRD_PARTY: &str = "THIRD-PARTY.txt";
/// Those of Rust's standard library, as it comes with them.
const OF_RUST: &str = "THIRD-PARTY-rust.html";
/// The sizes of the icon that desktops ask for most, in pixels. Drawn from the page's icon by
/// `rsvg-convert`.
const ICONS: [u32; 4] = [48, 64, 128, 256];
/// The shells of Linux and macOS, with the name of a script for each.
const UNIX_SHELLS: [(&str, &str, &str); 3] = [
    ("bash", "", ".bash"),
    ("zsh", "_", ""),
    ("fish", "", ".fish"),
];

/// A package of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Package {
    /// For people: the terminal and the page.
    P2pchat,
    /// For those who run a registry.
    Registry,
}

/// What a distribution has different from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distribution {
    /// Debian and what is made from it: `.deb`.
    Debian,
    /// Fedora, SUSE and others: `.rpm`.
    Rpm,
}

impl Package {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::P2pchat, Self::Registry];

    /// Its name.
    #[must_use]
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::P2pchat => "p2pchat",
            Self::Registry => "p2pchat-registry",
        }
    }

    /// The package of cargo that has its description.
    #[must_use]
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::P2pchat => "peer-native",
            Self::Registry => "registry",
        }
    }

    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::P2pchat => &["p2pchat", "p2pchat-bridge"],
            Self::Registry => &["p2pchat-registry"],
        }
    }

    /// Whether a page of the manual is in it. Those of formats are where people are.
    fn has_page(self, page: &str) -> bool {
        let rest = page.strip_prefix("p2pchat-registry");
        // Commands have pages too: `p2pchat-registry-users.1`.
        let of_registry = rest.is_some_and(|rest| rest.starts_with(['.', '-']));
        of_registry == (self == Self::Registry)
    }
}

/// Everything, to unpack into any folder.
///
/// # Errors
/// If a file is missing, or has a path of this machine in it.
pub(super) fn archive<'a>(release: &'a Release, built: &Built) -> Result<Tree<'a>> {
    let target = built.target;
    let mut tree = Tree::new(&release.builder);
    for name in ALL {
        tree.add_program(&target.program(name), built.read(name)?)?;
    }
    for name in ["README.md", "CHANGELOG.md", "LICENSE"] {
        tree.add(name, source(name)?)?;
    }
    tree.add(THIRD_PARTY, release.licences(target)?)?;
    tree.add(OF_RUST, release.of_rust.clone())?;
    let completions = &release.documents.completions;
    if target.is_windows() {
        for name in ALL {
            let script = &completions[&(name, "powershell")];
            tree.add(&format!("completions/_{name}.ps1"), script.clone())?;
        }
        return Ok(tree);
    }
    for name in ALL {
        for (shell, before, after) in UNIX_SHELLS {
            let path = format!("completions/{shell}/{before}{name}{after}");
            tree.add(&path, completions[&(name, shell)].clone())?;
        }
    }
    for (page, text) in &release.documents.manual {
        tree.add(&format!("man/man{}/{page}", section(page)?), text.clone())?;
    }
    if target.is_linux() {
        let [bridge, registry] = ["p2pchat-bridge", "p2pchat-registry"];
        tree.add(
            &format!("systemd/user/{bridge}.service"),
            units::bridge("/usr/local/bin")?,
        )?;
        tree.add(
            &format!("systemd/system/{registry}.service"),
            source("ops/p2pchat-registry.service")?,
        )?;
        desktop(&mut tree, release, "share")?;
    }
    Ok(tree)
}

/// One package of a distribution, by the paths that its files have on a system.
///
/// # Errors
/// If a file is missing, or has a path of this machine in it.
pub(super) fn package<'a>(
    release: &'a Release,
    built: &Built,
    package: Package,
    distribution: Distribution,
) -> Result<Tree<'a>> {
    let mut tree = Tree::new(&release.builder);
    let zsh = match distribution {
        Distribution::Debian => "vendor-completions",
        Distribution::Rpm => "site-functions",
    };
    let completions = &release.documents.completions;
    for name in package.programs() {
        tree.add_program(&format!("usr/bin/{name}"), built.read(name)?)?;
        for (shell, path) in [
            ("bash", format!("bash-completion/completions/{name}")),
            ("zsh", format!("zsh/{zsh}/_{name}")),
            ("fish", format!("fish/vendor_completions.d/{name}.fish")),
        ] {
            tree.add(
                &format!("usr/share/{path}"),
                completions[&(*name, shell)].clone(),
            )?;
        }
    }
    for (page, text) in &release.documents.manual {
        if package.has_page(page) {
            let path = format!("usr/share/man/man{}/{page}", section(page)?);
            tree.add_compressed(&path, text)?;
        }
    }
    documents(&mut tree, release, built, package, distribution)?;
    match package {
        Package::P2pchat => {
            let unit = "usr/lib/systemd/user/p2pchat-bridge.service";
            tree.add(unit, units::bridge("/usr/bin")?)?;
            desktop(&mut tree, release, "usr/share")?;
        }
        Package::Registry => service(&mut tree)?,
    }
    Ok(tree)
}

/// What people read.
fn documents(
    tree: &mut Tree<'_>,
    release: &Release,
    built: &Built,
    package: Package,
    distribution: Distribution,
) -> Result<()> {
    let doc = format!("usr/share/doc/{}", package.name());
    let third_party = release.licences(built.target)?;
    match distribution {
        // cargo-deb adds the copyright file, and the changelog of the package.
        Distribution::Debian => {
            tree.add_compressed(&format!("{doc}/changelog"), &source("CHANGELOG.md")?)?;
            let overrides = source(&format!(
                "packaging/deb/{}.lintian-overrides",
                package.name()
            ))?;
            tree.add(
                &format!("usr/share/lintian/overrides/{}", package.name()),
                overrides,
            )?;
            tree.add_compressed(&format!("{doc}/{THIRD_PARTY}"), third_party.as_bytes())?;
            tree.add_compressed(&format!("{doc}/{OF_RUST}"), &release.of_rust)?;
        }
        Distribution::Rpm => {
            tree.add(&format!("{doc}/CHANGELOG.md"), source("CHANGELOG.md")?)?;
            let licences = format!("usr/share/licenses/{}", package.name());
            tree.add(&format!("{licences}/LICENSE"), source("LICENSE")?)?;
            tree.add(&format!("{licences}/{THIRD_PARTY}"), third_party)?;
            tree.add(&format!("{licences}/{OF_RUST}"), release.of_rust.clone())?;
        }
    }
    tree.add(&format!("{doc}/README.md"), source("README.md")?)?;
    if package == Package::Registry {
        tree.add(
            &format!("{doc}/operations.md"),
            source("docs/operations.md")?,
        )?;
        for example in ["alerts.yml", "prometheus.yml", "grafana-dashboard.json"] {
            let content = source(&format!("ops/{example}"))?;
            tree.add(&format!("{doc}/examples/{example}"), content)?;
        }
    }
    Ok(())
}

/// The registry as a service of the system.
fn service(tree: &mut Tree<'_>) -> Result<()> {
    let name = Package::Registry.name();
    tree.add(
        &format!("usr/lib/systemd/system/{name}.service"),
        units::registry()?,
    )?;
    let user = source("packaging/linux/p2pchat-registry.sysusers")?;
    tree.add(&format!("usr/lib/sysusers.d/{name}.conf"), user)?;
    tree.add(
        "etc/p2pchat/registry.env",
        source("packaging/linux/registry.env")?,
    )
}

/// What a desktop shows: an entry that opens the page, its icon, and words for shops.
fn desktop(tree: &mut Tree<'_>, release: &Release, share: &str) -> Result<()> {
    let entry = source("packaging/linux/p2pchat.desktop")?;
    tree.add(&format!("{share}/applications/{APP}.desktop"), entry)?;
    let info = String::from_utf8(source("packaging/linux/metainfo.xml")?)?;
    let info = info
        .replace("\"VERSION\"", &format!("\"{}\"", release.version))
        .replace("\"DATE\"", &format!("\"{}\"", release.date));
    tree.add(&format!("{share}/metainfo/{APP}.metainfo.xml"), info)?;
    let icons = format!("{share}/icons/hicolor");
    for size in ICONS {
        let image = source(&format!("packaging/icons/{size}.png"))?;
        tree.add(&format!("{icons}/{size}x{size}/apps/p2pchat.png"), image)?;
    }
    let drawing = source("peer-web/assets/icon.svg")?;
    tree.add(&format!("{icons}/scalable/apps/p2pchat.svg"), drawing)
}

/// A file of the source.
fn source(path: &str) -> Result<Vec<u8>> {
    fs::read(root().join(Path::new(path))).with_context(|| format!("cannot read {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_of_the_manual_is_in_one_package() {
        let pages = ["p2pchat-registry.1", "p2pchat-registry-users.1"];
        for page in pages {
            assert!(Package::Registry.has_page(page) && !Package::P2pchat.has_page(page));
        }
        for page in [
            "p2pchat.1",
            "p2pchat-registries.1",
            "p2pchat-bridge.1",
            "p2pchat.toml.5",
        ] {
            assert!(Package::P2pchat.has_page(page) && !Package::Registry.has_page(page));
        }
    }
}

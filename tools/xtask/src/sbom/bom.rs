//! A bill of materials, as JSON of CycloneDX 1.5.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// A bill of materials.
#[derive(Debug)]
pub(super) struct Bom(Value);

impl Bom {
    /// Reads what cargo-cyclonedx wrote about the workspace in this folder, which is then
    /// nowhere in it: bills that are made in different places are the same.
    pub(super) fn parse(text: &str, workspace: &Path) -> Result<Self> {
        let mut bill: Value = serde_json::from_str(text).context("no JSON")?;
        let workspace = workspace.to_str().context("a folder that is not UTF-8")?;
        for_each_text(&mut bill, &|text| *text = text.replace(workspace, ""));
        let has_all = bill["metadata"]["component"]["bom-ref"].is_string()
            && bill["components"].is_array()
            && bill["dependencies"].is_array();
        ensure!(has_all, "no bill of materials");
        Ok(Self(bill))
    }

    /// The parts, without the program itself.
    pub(super) fn components(&self) -> &[Value] {
        self.0["components"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Takes out what is not built: `built` has a name and a version for each package
    /// that is, the program itself included.
    ///
    /// # Errors
    /// If something that is built is not in the bill.
    pub(super) fn cut(&mut self, built: &BTreeSet<String>) -> Result<()> {
        let mut known: BTreeSet<String> = self.components().iter().map(package).collect();
        known.insert(package(&self.0["metadata"]["component"]));
        let missing: Vec<_> = built.difference(&known).cloned().collect();
        ensure!(missing.is_empty(), "it lacks {}", missing.join(", "));
        self.list("components")
            .retain(|component| built.contains(&package(component)));
        let kept = self.references();
        let is_kept = |reference: &Value| reference.as_str().is_some_and(|it| kept.contains(it));
        self.list("dependencies")
            .retain(|entry| is_kept(&entry["ref"]));
        for entry in self.list("dependencies") {
            // Asked with an index, an entry without any would get one that is null.
            if let Some(on) = entry.get_mut("dependsOn").and_then(Value::as_array_mut) {
                on.retain(is_kept);
            }
        }
        Ok(())
    }

    /// Adds a program that this one has inside, with all its parts.
    pub(super) fn embed(&mut self, inner: &Self) -> Result<()> {
        let mut program = inner.0["metadata"]["component"].clone();
        // What it was built for is not what the outer one was built for.
        program["properties"] = inner.0["metadata"]["properties"].clone();
        let reference = program["bom-ref"].clone();
        let known = self.references();
        let new = |part: &&Value| {
            part["bom-ref"]
                .as_str()
                .is_none_or(|it| !known.contains(it))
        };
        let parts = inner.components().iter().filter(new).cloned();
        self.list("components")
            .extend([program].into_iter().chain(parts));
        // A part of both, if only one of them needs it to run.
        for part in inner
            .components()
            .iter()
            .filter(|part| part["scope"] == "required")
        {
            let same = |own: &&mut Value| own["bom-ref"] == part["bom-ref"];
            if let Some(own) = self.list("components").iter_mut().find(same) {
                own["scope"] = json!("required");
            }
        }
        let outer = self.0["metadata"]["component"]["bom-ref"].clone();
        let link = json!({ "ref": outer, "dependsOn": [reference] });
        let links = inner.0["dependencies"].as_array().into_iter().flatten();
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for entry in self.list("dependencies").iter().chain(links).chain([&link]) {
            let of = entry["ref"].as_str().context("a dependency of nothing")?;
            let on = entry["dependsOn"].as_array().into_iter().flatten();
            let on = on.filter_map(Value::as_str).map(str::to_owned);
            all.entry(of.to_owned()).or_default().extend(on);
        }
        let all = all.into_iter();
        self.0["dependencies"] = all
            .map(|(of, on)| match on.is_empty() {
                true => json!({ "ref": of }),
                false => json!({ "ref": of, "dependsOn": on }),
            })
            .collect();
        Ok(())
    }

    /// The bill as a file, always in the same order.
    pub(super) fn text(&self) -> Result<String> {
        let mut bill = Self(self.0.clone());
        bill.list("components")
            .sort_by_key(|part| text(&part["bom-ref"]));
        bill.list("dependencies")
            .sort_by_key(|entry| text(&entry["ref"]));
        Ok(serde_json::to_string_pretty(&bill.0)? + "\n")
    }

    /// What there is to refer to, the program included.
    fn references(&self) -> BTreeSet<String> {
        let program = &self.0["metadata"]["component"];
        let all = self.components().iter().chain([program]);
        all.map(|part| text(&part["bom-ref"])).collect()
    }

    fn list(&mut self, name: &str) -> &mut Vec<Value> {
        self.0[name].as_array_mut().expect("looked at by `parse`")
    }
}

/// Name and version of a part.
fn package(component: &Value) -> String {
    format!(
        "{} {}",
        text(&component["name"]),
        text(&component["version"])
    )
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn for_each_text(value: &mut Value, change: &impl Fn(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| for_each_text(item, change)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| for_each_text(field, change)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;

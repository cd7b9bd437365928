use super::*;

fn part(name: &str, scope: &str) -> Value {
    json!({ "bom-ref": format!("r#{name}"), "name": name, "version": "1.0.0", "scope": scope })
}

/// A program with parts, each of which needs the next.
fn bill(program: &str, parts: &[Value]) -> Bom {
    let names: Vec<_> = parts.iter().map(|part| text(&part["bom-ref"])).collect();
    let mut links = vec![json!({ "ref": format!("file:///w/{program}"), "dependsOn": names })];
    links.extend(names.iter().enumerate().map(|(at, name)| {
        let next: Vec<_> = names.iter().skip(at + 1).take(1).collect();
        json!({ "ref": name, "dependsOn": next })
    }));
    let bill = json!({
        "metadata": {
            "component": {
                "bom-ref": format!("file:///w/{program}"), "name": program, "version": "0.1.0"
            },
            "properties": [{ "name": "target", "value": program }],
        },
        "components": parts,
        "dependencies": links,
    });
    Bom::parse(&bill.to_string(), Path::new("/w")).unwrap()
}

fn built(names: &[&str]) -> BTreeSet<String> {
    let version = |name: &&str| match *name {
        "outer" | "inner" => format!("{name} 0.1.0"),
        _ => format!("{name} 1.0.0"),
    };
    names.iter().map(version).collect()
}

fn names(bill: &Bom) -> Vec<String> {
    bill.components()
        .iter()
        .map(|part| text(&part["name"]))
        .collect()
}

fn needs(bill: &Bom, reference: &str) -> Value {
    let all = bill.0["dependencies"].as_array().unwrap();
    let entry = all.iter().find(|entry| entry["ref"] == reference);
    entry.unwrap()["dependsOn"].clone()
}

#[test]
fn what_is_not_built_is_taken_out_everywhere() {
    let parts = ["a", "b", "c"].map(|name| part(name, "required"));
    let mut bill = bill("outer", &parts);
    bill.cut(&built(&["outer", "a", "c"])).unwrap();
    assert_eq!(names(&bill), ["a", "c"]);
    assert_eq!(needs(&bill, "file:///outer"), json!(["r#a", "r#c"]));
    assert_eq!(needs(&bill, "r#a"), json!([]));
    assert_eq!(bill.0["dependencies"].as_array().unwrap().len(), 3);
}

#[test]
fn what_needs_nothing_says_nothing_of_it() {
    let mut bill = bill("outer", &[part("a", "required")]);
    bill.0["dependencies"] = json!([{ "ref": "r#a" }]);
    bill.cut(&built(&["outer", "a"])).unwrap();
    assert_eq!(bill.0["dependencies"], json!([{ "ref": "r#a" }]));
}

#[test]
fn a_bill_that_lacks_what_is_built_is_refused() {
    let mut bill = bill("outer", &[part("a", "required")]);
    let refused = bill.cut(&built(&["outer", "a", "b"])).unwrap_err();
    assert!(refused.to_string().contains("b 1.0.0"), "{refused}");
    // Another version is another part.
    let mut other = built(&["outer"]);
    other.insert("a 2.0.0".to_owned());
    assert!(bill.cut(&other).is_err());
}

#[test]
fn an_embedded_program_brings_its_parts_and_shares_the_rest() {
    let mut outer = bill("outer", &[part("a", "excluded"), part("b", "required")]);
    let inner = bill("inner", &[part("a", "required"), part("c", "required")]);
    outer.embed(&inner).unwrap();
    assert_eq!(names(&outer), ["a", "b", "inner", "c"]);
    assert_eq!(outer.components()[0]["scope"], "required");
    assert_eq!(outer.components()[2]["properties"][0]["value"], "inner");
    let all = json!(["file:///inner", "r#a", "r#b"]);
    assert_eq!(needs(&outer, "file:///outer"), all);
    assert_eq!(needs(&outer, "file:///inner"), json!(["r#a", "r#c"]));
    assert_eq!(needs(&outer, "r#a"), json!(["r#b", "r#c"]));
}

#[test]
fn the_order_of_the_parts_does_not_show() {
    let parts = ["b", "a"].map(|name| part(name, "required"));
    let other: Vec<_> = parts.iter().rev().cloned().collect();
    let links = json!([]);
    let texts = [&parts[..], &other[..]].map(|parts| {
        let mut bill = bill("outer", parts);
        bill.0["dependencies"] = links.clone();
        bill.text().unwrap()
    });
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn the_place_of_the_workspace_does_not_show() {
    assert!(!bill("outer", &[]).text().unwrap().contains("/w/"));
    assert!(Bom::parse("{}", Path::new("/w")).is_err());
}

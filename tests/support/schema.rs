//! JSON Schema, as far as the schemas of these tests go. A keyword that is not known here is an error, so that none is
//! passed over in silence.

use serde_json::Value;

/// What is wrong with a value, each with its place; nothing if it is as the schema has it.
pub(crate) fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let keywords = schema.as_object().expect("a schema is an object");
    for (keyword, rule) in keywords {
        let mut wrong = |why: String| found.push(format!("{place}: {why}"));
        match &keyword[..] {
            "$schema" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                let referred = root.pointer(pointer).expect("what is referred to is there");
                return check(root, referred, value, place, found);
            }
            "type" => {
                let names = rule.as_array().map_or(vec![rule], |names| names.iter().collect());
                if !names.iter().any(|name| is_of_type(value, name.as_str().unwrap())) {
                    wrong(format!("{value} is not of type {rule}"));
                }
            }
            "enum" if !rule.as_array().unwrap().contains(value) => {
                wrong(format!("{value} is none of {rule}"));
            }
            "minimum" if value.as_f64().is_some_and(|value| value < rule.as_f64().unwrap()) => {
                wrong(format!("{value} is less than {rule}"));
            }
            "minItems"
                if value
                    .as_array()
                    .is_some_and(|items| items.len() < rule.as_u64().unwrap() as usize) =>
            {
                wrong("too few items".into());
            }
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.is_object() && value.get(name.as_str().unwrap()).is_none() {
                        wrong(format!("{name} is missing"));
                    }
                }
            }
            "anyOf" => {
                let fits = |one: &Value| {
                    let mut wrong = Vec::new();
                    check(root, one, value, place, &mut wrong);
                    wrong.is_empty()
                };
                if !rule.as_array().unwrap().iter().any(fits) {
                    wrong("it is none of what it may be".into());
                }
            }
            "additionalProperties" => {
                let further = value.as_object().into_iter().flatten();
                for (name, value) in
                    further.filter(|(name, _)| schema["properties"].get(name).is_none())
                {
                    match rule {
                        Value::Bool(false) => {
                            found.push(format!("{place}: {name} is not in the schema"));
                        }
                        rule => check(root, rule, value, &format!("{place}.{name}"), found),
                    }
                }
            }
            "enum" | "minimum" | "minItems" | "properties" | "items" => {}
            other => panic!("{other} is a keyword that these tests do not know"),
        }
    }
    for (name, rule) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            check(root, rule, value, &format!("{place}.{name}"), found);
        }
    }
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(rule) = schema.get("items") {
            check(root, rule, item, &format!("{place}[{at}]"), found);
        }
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => panic!("{name} is no type"),
    }
}

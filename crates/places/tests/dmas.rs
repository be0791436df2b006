//! Files of Designated Market Areas. `dmas.json` is the example of the Media Security Policy API.

#![allow(clippy::unwrap_used, reason = "a test")]

use playlock_places::{Dma, DmaError, read_dmas};

fn error(file: &str) -> String {
    read_dmas(file.as_bytes()).unwrap_err().to_string()
}

/// A file of one DMA with this code and this name, both of them JSON.
fn one(code: &str, name: &str) -> String {
    format!("[{{\"dmaCode\": {code}, \"dmaName\": {name}}}]")
}

#[test]
fn the_api_s_example_is_read() {
    let dmas = read_dmas(include_bytes!("dmas.json")).unwrap();
    assert_eq!(dmas.len(), 8);
    assert_eq!(dmas[1], Dma { code: "501".into(), name: "NewYork::CT,NJ,NY,PA".into() });
    let codes: Vec<_> = dmas.iter().map(|dma| dma.code.as_str()).collect();
    assert_eq!(codes, ["500", "501", "502", "503", "504", "505", "868", "881"]);
}

#[test]
fn dmas_are_sorted_by_code() {
    let file = r#"[
        {"dmaName": "B", "dmaCode": "881"},
        {"dmaCode": "500", "dmaName": "C"},
        {"dmaCode": "868", "dmaName": "A"}
    ]"#;
    let dmas = read_dmas(file.as_bytes()).unwrap();
    assert_eq!(dmas.iter().map(|dma| dma.code.as_str()).collect::<Vec<_>>(), ["500", "868", "881"]);
    assert_eq!(read_dmas(b"[]"), Ok(Vec::new()));
}

#[test]
fn a_fault_has_its_line() {
    let expected = r#"; expected [{"dmaCode": "501", "dmaName": "NewYork::CT,NJ,NY,PA"}]"#;
    let cases = [
        ("", "line 1, column 0: EOF while parsing a value"),
        ("{}", "line 1, column 0: invalid type: map, expected a sequence"),
        ("[\n\n{\"dmaCode\": \"501\"}]", "line 3, column 18: missing field `dmaName`"),
        ("[\n{\"dmaName\": \"A\"}]", "line 2, column 16: missing field `dmaCode`"),
        (
            "[{\"dmaCode\": 501, \"dmaName\": \"A\"}]",
            "line 1, column 16: invalid type: integer `501`, expected a string",
        ),
        ("[{\"dmaCode\": null}]", "line 1, column 17: invalid type: null, expected a string"),
        ("[\n{\"dmacode\": \"501\"}]", "line 2, column 10: unknown field `dmacode`, expected `dmaCode` or `dmaName`"),
        ("[{\"dmaCode\": \"501\",\n\"dmaCode\": \"501\"}]", "line 2, column 17: duplicate field `dmaCode`"),
        ("[[\"501\", \"A\"]]", "line 1, column 1: invalid type: sequence, expected an object"),
        ("[\"501\"]", "line 1, column 6: invalid type: string \"501\", expected an object"),
        ("[] []", "line 1, column 4: trailing characters"),
        ("[\n,]", "line 2, column 1: expected value"),
    ];
    for (file, fault) in cases {
        assert_eq!(error(file), format!("{fault}{expected}"), "{file}");
    }
    assert!(read_dmas(b"[{\"dmaCode\": \"50\xff\"}]").is_err());
}

#[test]
fn a_code_is_three_digits() {
    for code in [r#""""#, r#""50""#, r#""0501""#, r#""5O1""#, r#""-50""#, r#""50 ""#, r#""٥٠١""#, r#""5٠""#] {
        assert_eq!(read_dmas(one(code, r#""A""#).as_bytes()), Err(DmaError::Code { index: 0 }), "{code}");
    }
    assert_eq!(error(&one(r#""5""#, r#""A""#)), "[0].dmaCode: no DMA's code; expected three digits, such as \"501\"");
    assert!(read_dmas(one(r#""999""#, r#""A""#).as_bytes()).is_ok());
}

#[test]
fn a_name_is_a_line_of_text() {
    let long = format!("\"{}\"", "n".repeat(201));
    for name in [r#""""#, r#""a\nb""#, r#""\u0000""#, r#""\u007f""#, &long] {
        assert_eq!(read_dmas(one(r#""501""#, name).as_bytes()), Err(DmaError::Name { index: 0 }), "{name}");
    }
    let text = error(&one(r#""501""#, r#""""#));
    assert_eq!(text, "[0].dmaName: unusable; expected 1 to 200 bytes without control characters");
}

#[test]
fn a_code_stands_once() {
    let file = r#"[
        {"dmaCode": "501", "dmaName": "B"},
        {"dmaCode": "500", "dmaName": "A"},
        {"dmaCode": "501", "dmaName": "A"}
    ]"#;
    assert_eq!(read_dmas(file.as_bytes()), Err(DmaError::Duplicate { index: 2, first: 0 }));
    assert_eq!(error(file), "[2].dmaCode: that of [0] again; expected each code once");
}

//! The grammar and the times of access tokens.

use super::*;
use alloc::format;

const TAG: &str = "~hmac=bb07ba926e57958bdfe943f1c0914c04948eb0dc8a5e44baa426c9184f733ed2";

fn parse(fields: &str) -> Result<(), Reason> {
    Claims::parse(&format!("{fields}{TAG}")).map(|_| ())
}

#[test]
fn the_grammar_is_strict() {
    for good in [
        "exp=1",
        "st=1~exp=2~acl=/*",
        "exp=1~data=a+b~c",
        "exp=1~id=a~b~data=c~d~e",
        "exp=1~acl=%2fa%2f*!/b",
        "exp=1~acl=/*~data=k=v",
    ] {
        assert_eq!(parse(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "st=1",
        "exp=",
        "exp=1~",
        "~exp=1",
        "exp=1~~acl=/*",
        "exp=1~exp=2",
        "exp=1~acl=/a~acl=/*",
        "exp=1~data=x~acl=/live/*~acl=/*",
        "exp=1~url=/a",
        "exp=1~salt=x",
        "exp=1~EXP=2",
        "exp=-1",
        "exp=+1",
        "exp=1.0",
        "exp= 1",
        "exp=99999999999999999999",
        "exp=1~acl=/a~b",
        "exp=1~acl=/%zz",
        "exp=1~acl=/a!!/b",
        "exp=1~acl=",
        "exp=1~id=",
        "exp=1~data=",
        "exp=1~hmac=00",
        "exp=0x10",
        "exp=1~ip=1.1.1.1~ip=2.2.2.2",
    ] {
        assert_eq!(parse(bad), Err(Reason::Malformed), "{bad}");
    }
    for bad in [
        "exp=1",
        "exp=1~hmac=",
        "exp=1~hmac=00",
        &format!("exp=1{}", TAG.to_uppercase()),
        &format!("exp=1{TAG}~acl=/*"),
        &format!("exp=1{TAG}00"),
    ] {
        assert!(Claims::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_payload_keeps_its_tildes_but_never_becomes_a_field() {
    let token = format!("exp=1~data=a~b{TAG}");
    assert_eq!(Claims::parse(&token).unwrap().data, Some("a~b"));
    let token = format!("exp=1~data=x~acl=/live/*{TAG}");
    let claims = Claims::parse(&token).unwrap();
    assert_eq!((claims.data, claims.acl), (Some("x"), Some("/live/*")));
}

#[test]
fn times_are_inclusive() {
    let token = format!("st=100~exp=200{TAG}");
    let claims = Claims::parse(&token).unwrap();
    for (now, skew, expected) in [
        (99, 0, Err(Reason::Early)),
        (100, 0, Ok(())),
        (200, 0, Ok(())),
        (201, 0, Err(Reason::Expired)),
        (89, 10, Err(Reason::Early)),
        (90, 10, Ok(())),
        (210, 10, Ok(())),
        (211, 10, Err(Reason::Expired)),
    ] {
        assert_eq!(claims.check_times(now, skew), expected, "{now} ± {skew}");
    }
}

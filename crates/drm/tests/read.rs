//! The readers: other generators' boxes, headers and encrypted keys are read back, and hostile ones are refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test")]

mod common;

use playlock_drm::pssh::{self, playready};
use playlock_drm::read::{Header, HeaderKey, PsshBox, ReadFault, WidevineData, open};
use playlock_drm::{Content, Kid, Scheme, Settings, System, signal};

use common::{Random, block, items, text, unbase64, unhex};

const KEY: [u8; 16] = [7; 16];

fn kid() -> Kid {
    Kid::parse("0f083e4e-b831-4a3d-917e-ce78076e54aa").unwrap()
}

#[test]
fn widevine_boxes_of_cpix_library_are_read() {
    let file = vectors!("cpix");
    for vector in items(&file["widevine"]) {
        let bytes = unbase64(text(&vector["box"]));
        let read = PsshBox::read(&bytes).unwrap();
        let kids: Vec<_> = items(&vector["kids"]).iter().map(|kid| Kid::parse(text(kid)).unwrap()).collect();
        assert_eq!(read.system(), Some(System::Widevine));
        assert_eq!(u64::from(read.version), vector["version"].as_u64().unwrap());
        assert_eq!(read.kids, if read.version == 1 { kids.clone() } else { Vec::new() });
        let expected = WidevineData {
            kids,
            provider: vector["provider"].as_str().map(Into::into),
            content_id: vector["contentId"].as_str().map(Into::into),
            scheme: vector["scheme"].as_str().map(|name| Scheme::parse(name).unwrap()),
        };
        assert_eq!(WidevineData::read(read.data), Ok(expected));
    }
}

#[test]
fn playready_headers_of_cpix_library_are_read_and_verified() {
    let file = vectors!("cpix");
    for vector in items(&file["playready"]) {
        let bytes = unbase64(text(&vector["box"]));
        let read = PsshBox::read(&bytes).unwrap();
        assert_eq!(read.system(), Some(System::PlayReady));
        assert_eq!(read.data, unbase64(text(&vector["object"])));
        let header = Header::read(read.data).unwrap();
        assert_eq!(header.license_url.as_deref(), vector["url"].as_str());
        let is_counter_mode = vector["algorithm"] == "AESCTR";
        assert_eq!(header.version, if is_counter_mode { "4.2.0.0" } else { "4.3.0.0" });
        assert_eq!(header.keys.len(), items(&vector["keys"]).len());
        for (read, pair) in header.keys.iter().zip(items(&vector["keys"])) {
            assert_eq!(read.kid, Kid::parse(text(&pair[0])).unwrap());
            assert_eq!(read.is_counter_mode, Some(is_counter_mode));
            assert_eq!(read.verify(&block(text(&pair[1]))), is_counter_mode.then_some(true));
            assert_eq!(read.verify(&[1; 16]), is_counter_mode.then_some(false));
        }
    }
}

#[test]
fn boxes_of_the_packager_are_read() {
    let file = vectors!("packager");
    for vector in items(&file["vectors"]) {
        let kid = Kid::new(block(text(&vector["kid"])));
        let key = block(text(&vector["key"]));
        let scheme = Scheme::parse(text(&vector["scheme"])).unwrap();
        for (id, text) in vector["boxes"].as_object().unwrap() {
            let bytes = unbase64(common::text(text));
            let read = PsshBox::read(&bytes).unwrap();
            assert_eq!(read.system_id, block(id));
            match read.system().unwrap() {
                System::Common => assert_eq!((read.version, read.kids, read.data), (1, vec![kid], &[][..])),
                System::Widevine => {
                    let message = WidevineData::read(read.data).unwrap();
                    assert_eq!((message.kids, message.scheme), (vec![kid], Some(scheme)));
                }
                _ => {
                    let header = Header::read(read.data).unwrap();
                    assert_eq!(header.keys.iter().map(|key| key.kid).collect::<Vec<_>>(), [kid]);
                    assert_eq!(header.keys[0].verify(&key), (scheme == Scheme::Cenc).then_some(true));
                }
            }
        }
    }
}

/// Forms of other servers: order, blanks, empty-element tags, apostrophes, further elements, no key.
#[test]
fn headers_in_other_forms_are_read() {
    let namespace = "http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader";
    let parse = |version: &str, data: &str| {
        Header::parse(&format!("\n<WRMHEADER version='{version}' xmlns=\"{namespace}\" >{data}</WRMHEADER>\n"))
    };
    let key = |is_counter_mode, checksum| HeaderKey { kid: kid(), is_counter_mode, checksum };
    let checksum = Some(playready::checksum(&kid(), &block("00112233445566778899aabbccddeeff")));
    for (version, data, keys) in [
        ("4.0.0.0", "<DATA/>", vec![]),
        (
            "4.0.0.0",
            "<DATA> <CHECKSUM>\nC8IE1OIKjFs= </CHECKSUM><KID>Tj4IDzG4PUqRfs54B25Uqg==</KID><DS_ID>x</DS_ID></DATA>",
            vec![key(None, checksum)],
        ),
        (
            "4.1.0.0",
            "<DATA><PROTECTINFO><KID VALUE=\"Tj4IDzG4PUqRfs54B25Uqg==\" ALGID = 'AESCTR'/></PROTECTINFO></DATA>",
            vec![key(Some(true), None)],
        ),
        ("4.2.0.0", "<DATA><PROTECTINFO></PROTECTINFO></DATA>", vec![]),
        (
            "4.3.0.0",
            "<DATA><PROTECTINFO LICENSEREQUESTED=\"true\"><KIDS><KID VALUE=\"Tj4IDzG4PUqRfs54B25Uqg==\"></KID><KID \
             ALGID=\"AESCBC\"  VALUE=\"Tj4IDzG4PUqRfs54B25Uqg==\" /></KIDS></PROTECTINFO><CUSTOMATTRIBUTES><a>1</a>\
             </CUSTOMATTRIBUTES></DATA>",
            vec![key(None, None), key(Some(false), None)],
        ),
    ] {
        assert_eq!(parse(version, data).map(|header| header.keys), Ok(keys), "{data}");
    }
    let kid = "VALUE=\"Tj4IDzG4PUqRfs54B25Uqg==\"";
    let list = |keys: &str| format!("<DATA><PROTECTINFO><KIDS>{keys}</KIDS></PROTECTINFO></DATA>");
    for (version, data, fault) in [
        ("4.4.0.0", "<DATA/>".to_owned(), ReadFault::Markup),
        ("", "<DATA/>".to_owned(), ReadFault::Markup),
        ("4.0.0.0", "<DATA/><DATA/>".to_owned(), ReadFault::Markup),
        ("4.0.0.0", "<DATA><KID>Tj4I</KID></DATA>".to_owned(), ReadFault::KeyId),
        ("4.2.0.0", list("<KID/>"), ReadFault::Markup),
        ("4.2.0.0", list("<KID VALUE=\"Tj4I\"/>"), ReadFault::KeyId),
        ("4.2.0.0", list(&format!("<KID {kid} {kid}/>")), ReadFault::Markup),
        ("4.2.0.0", list(&format!("<KID ALGID=\"COCKTAIL\" {kid}/>")), ReadFault::Scheme),
        ("4.2.0.0", list(&format!("<KID CHECKSUM=\"AAAA\" {kid}/>")), ReadFault::Checksum),
        ("4.2.0.0", list(&format!("<KID ALGID=\"AESCTR\"{kid}/>")), ReadFault::Markup),
        ("4.2.0.0", list("<!-- --><KID/>"), ReadFault::Markup),
        ("4.2.0.0", list("<KID></KIDS>"), ReadFault::Markup),
        ("4.2.0.0", list("&nbsp;"), ReadFault::Markup),
        ("4.2.0.0", "<DATA>".to_owned() + &"<a>".repeat(20) + &"</a>".repeat(20) + "</DATA>", ReadFault::Markup),
    ] {
        assert_eq!(parse(version, &data), Err(fault), "{data}");
    }
    assert_eq!(Header::parse("<!DOCTYPE x><x/>"), Err(ReadFault::Markup));
    assert_eq!(Header::parse("<WRMHEADER version=\"4.0.0.0\"><DATA/></WRMHEADER>"), Err(ReadFault::Markup));
}

#[test]
fn encrypted_keys_of_python_are_opened() {
    let file = vectors!("delivery");
    for document in items(&file["documents"]) {
        let document_key = unhex(text(&document["documentKey"])).try_into().unwrap();
        let mac_key = unhex(text(&document["macKey"])).try_into().unwrap();
        for (key, secret) in items(&file["contentKeys"]).iter().zip(items(&document["secrets"])) {
            let within = |name: &str| {
                let (_, after) = text(secret).split_once(&format!("{name}>")).unwrap();
                unbase64(after.split_once("</").unwrap().0)
            };
            let (cipher, mac) = (within("CipherValue"), within("ValueMAC"));
            assert_eq!(*open(&document_key, &mac_key, &cipher, &mac).unwrap(), unhex(text(key)));
            for bit in (0..cipher.len() * 8).step_by(7) {
                let mut broken = cipher.clone();
                broken[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(open(&document_key, &mac_key, &broken, &mac), None);
            }
            // AWS's examples have MACs of 32 bytes.
            assert_eq!(open(&document_key, &mac_key, &cipher, &mac[..32]), None);
            assert_eq!(open(&document_key, &mac_key, &[], &mac), None);
        }
    }
}

#[test]
fn hostile_boxes_are_refused() {
    let bytes = pssh::common(&[kid(), kid()]).unwrap();
    for length in 0..bytes.len() {
        assert_eq!(PsshBox::read(&bytes[..length]), Err(ReadFault::Length), "{length}");
    }
    let changed = |at: usize, value: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        PsshBox::read(&bytes).err()
    };
    assert_eq!(changed(4, b"PSSH"), Some(ReadFault::Box));
    assert_eq!(changed(8, &[2]), Some(ReadFault::Box));
    assert_eq!(changed(11, &[1]), Some(ReadFault::Box));
    for count in [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 3], [0xff; 4]] {
        assert_eq!(changed(28, &count), Some(ReadFault::Length), "{count:?}");
    }
    assert_eq!(changed(bytes.len() - 1, &[1]), Some(ReadFault::Length));
    assert_eq!(PsshBox::read(&[&bytes[..], &[0]].concat()), Err(ReadFault::Length));
}

#[test]
fn hostile_messages_are_refused() {
    for (data, fault) in [
        (&b"\x12"[..], ReadFault::Length),
        (b"\x12\x10abc", ReadFault::Length),
        (b"\x12\x03abc", ReadFault::KeyId),
        (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", ReadFault::Length),
        (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", ReadFault::Field),
        (b"\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", ReadFault::Field),
        (b"\x1a\x01a\x1a\x01a", ReadFault::Field),
        (b"\x22\x00\x22\x00", ReadFault::Field),
        (b"\x1a\x01\xff", ReadFault::Field),
        (b"\x48\x01", ReadFault::Scheme),
        (b"\x4a\x00", ReadFault::Field),
        (b"\x0b", ReadFault::Field),
        (b"\x00\x00", ReadFault::Field),
        (b"\x55\x00", ReadFault::Length),
    ] {
        assert_eq!(WidevineData::read(data), Err(fault), "{data:x?}");
    }
    // The algorithm, a track type and a policy, and fields of fixed size.
    let read = WidevineData::read(b"\x08\x01\x2a\x02HD\x32\x00\x55abcd\x59abcdefgh").unwrap();
    assert_eq!(read, WidevineData::default());
}

#[test]
fn hostile_objects_are_refused() {
    let header =
        playready::header(playready::Version::V4_0, &[playready::Key { kid: &kid(), key: &KEY }], None).unwrap();
    let object = playready::object(&header).unwrap();
    for length in 0..object.len() {
        assert_eq!(Header::read(&object[..length]), Err(ReadFault::Length), "{length}");
    }
    let with = |records: &[u8]| {
        let length = u32::try_from(4 + records.len()).unwrap();
        Header::read(&[&length.to_le_bytes(), records].concat()).err()
    };
    assert_eq!(with(&[0, 0]), Some(ReadFault::Records));
    assert_eq!(with(&[0, 0, 0]), Some(ReadFault::Length));
    assert_eq!(with(&[1, 0, 3, 0, 0, 0]), Some(ReadFault::Records));
    assert_eq!(with(&[2, 0, 1, 0, 0, 0, 1, 0, 0, 0]), Some(ReadFault::Records));
    assert_eq!(with(&[1, 0, 1, 0, 1, 0, b'<']), Some(ReadFault::Encoding));
    assert_eq!(with(&[1, 0, 1, 0, 2, 0, 0, 0xd8]), Some(ReadFault::Encoding));
    // AWS's guide: count and length of four bytes.
    assert!(with(&[1, 0, 0, 0, 1, 0, 2, 0, 0, 0, b'<', 0]).is_some());
}

/// The output of this crate is read back, and bytes that are changed at random never lead to a panic.
#[test]
fn written_data_is_read_back() {
    let mut random = Random(3);
    for round in 0..400 {
        let (kid, key) = (Kid::new(random.bytes()), random.bytes());
        let scheme = [Scheme::Cenc, Scheme::Cbcs][random.below(2)];
        let settings = Settings { playready_list: random.below(2) == 1, ..Settings::default() };
        let content = Content { id: "id", kid: &kid, key: &key, iv: &KEY, scheme };
        for system in [System::Widevine, System::PlayReady, System::ClearKey] {
            let mut bytes = signal(system, &content, &settings).unwrap().pssh.unwrap();
            let read = PsshBox::read(&bytes).unwrap();
            match system {
                System::Widevine => assert_eq!(WidevineData::read(read.data).unwrap().kids, [kid]),
                System::PlayReady => {
                    let header = Header::read(read.data).unwrap();
                    assert_eq!(header.keys[0].kid, kid);
                    assert_ne!(header.keys[0].verify(&key), Some(false));
                }
                _ => assert_eq!(read.kids, [kid]),
            }
            for _ in 0..=round % 4 {
                let at = random.below(bytes.len());
                bytes[at] = random.bytes::<1>()[0];
            }
            let data = PsshBox::read(&bytes).map_or(&bytes[32..], |read| read.data);
            let _ = (WidevineData::read(data), Header::read(data));
        }
    }
}

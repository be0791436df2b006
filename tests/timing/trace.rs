//! Instruments a module: every address that is read or written and every branch that is taken is added to a checksum,
//! the exported global `trace`. Two runs with the same checksum executed the same instructions in the same order.

use wasmparser::{Operator, Parser, Payload, TypeRef};

/// The prime of FNV; any number that spreads bits would do.
const FACTOR: i64 = 0x100_0000_01b3;

/// Rewrites a module. It must import no globals.
pub fn traced(module: &[u8]) -> Vec<u8> {
    let mut out = module[..8].to_vec();
    let (mut params, mut functions, mut imported) = (Vec::new(), Vec::new(), 0_usize);
    let (mut bodies, mut global, mut left) = (Vec::new(), 0_u64, 0);
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.unwrap();
        match &payload {
            Payload::TypeSection(types) => {
                params =
                    types.clone().into_iter_err_on_gc_types().map(|kind| kind.unwrap().params().len() as u64).collect();
            }
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    match import.unwrap().ty {
                        TypeRef::Func(_) => imported += 1,
                        other => panic!("{other:?} is imported"),
                    }
                }
            }
            Payload::FunctionSection(kinds) => {
                functions = kinds.clone().into_iter().map(|kind| kind.unwrap()).collect()
            }
            Payload::GlobalSection(globals) => global = u64::from(globals.count()),
            Payload::CodeSectionStart { count, .. } => left = *count,
            Payload::CodeSectionEntry(body) => {
                let kind = functions[bodies.len()] as usize;
                bodies.push(function(module, body, params[kind], global));
                left -= 1;
                if left == 0 {
                    let mut section = leb(bodies.len() as u64);
                    for body in &bodies {
                        section.extend(leb(body.len() as u64));
                        section.extend(body);
                    }
                    put(&mut out, 10, &section);
                }
                continue;
            }
            _ => {}
        }
        let Some((id, range)) = payload.as_section() else { continue };
        let content = &module[range];
        match id {
            0 | 10 => {}
            // i64, mutable, zero.
            6 => put(&mut out, id, &grown(content, &[0x7e, 1, 0x42, 0, 0x0b])),
            7 => put(&mut out, id, &grown(content, &[&b"\x05trace\x03"[..], &leb(global)].concat())),
            _ => put(&mut out, id, content),
        }
    }
    assert!(imported > 0 || !bodies.is_empty());
    out
}

fn put(out: &mut Vec<u8>, id: u8, section: &[u8]) {
    out.push(id);
    out.extend(leb(section.len() as u64));
    out.extend(section);
}

/// A section with one additional entry.
fn grown(content: &[u8], entry: &[u8]) -> Vec<u8> {
    let digits = content.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let count = content[..digits].iter().rev().fold(0, |count, byte| count << 7 | u64::from(byte & 0x7f));
    [&leb(count + 1), &content[digits..], entry].concat()
}

fn leb(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn signed_leb(mut value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0) {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// The operand of an instruction that is recorded, by its position on the stack.
enum Noted {
    No,
    /// The topmost number, with the offset that is added to it.
    Top(u64),
    /// The number below another value, with the index of the local that holds that value meanwhile.
    Below(u64, usize),
    /// The three topmost numbers, of which the second is an address, too.
    Three,
    /// Whether the topmost number is zero.
    Choice,
}

fn noted(operator: &Operator<'_>) -> Noted {
    use Operator as O;
    const I32: usize = 1;
    const I64: usize = 3;
    const F32: usize = 4;
    const F64: usize = 5;
    const V128: usize = 6;
    match operator {
        O::I32Load { memarg }
        | O::I64Load { memarg }
        | O::F32Load { memarg }
        | O::F64Load { memarg }
        | O::I32Load8S { memarg }
        | O::I32Load8U { memarg }
        | O::I32Load16S { memarg }
        | O::I32Load16U { memarg }
        | O::I64Load8S { memarg }
        | O::I64Load8U { memarg }
        | O::I64Load16S { memarg }
        | O::I64Load16U { memarg }
        | O::I64Load32S { memarg }
        | O::I64Load32U { memarg }
        | O::V128Load { memarg }
        | O::V128Load8x8S { memarg }
        | O::V128Load8x8U { memarg }
        | O::V128Load16x4S { memarg }
        | O::V128Load16x4U { memarg }
        | O::V128Load32x2S { memarg }
        | O::V128Load32x2U { memarg }
        | O::V128Load8Splat { memarg }
        | O::V128Load16Splat { memarg }
        | O::V128Load32Splat { memarg }
        | O::V128Load64Splat { memarg }
        | O::V128Load32Zero { memarg }
        | O::V128Load64Zero { memarg } => Noted::Top(memarg.offset),
        O::I32Store { memarg } | O::I32Store8 { memarg } | O::I32Store16 { memarg } => Noted::Below(memarg.offset, I32),
        O::I64Store { memarg } | O::I64Store8 { memarg } | O::I64Store16 { memarg } | O::I64Store32 { memarg } => {
            Noted::Below(memarg.offset, I64)
        }
        O::F32Store { memarg } => Noted::Below(memarg.offset, F32),
        O::F64Store { memarg } => Noted::Below(memarg.offset, F64),
        O::V128Store { memarg }
        | O::V128Load8Lane { memarg, .. }
        | O::V128Load16Lane { memarg, .. }
        | O::V128Load32Lane { memarg, .. }
        | O::V128Load64Lane { memarg, .. }
        | O::V128Store8Lane { memarg, .. }
        | O::V128Store16Lane { memarg, .. }
        | O::V128Store32Lane { memarg, .. }
        | O::V128Store64Lane { memarg, .. } => Noted::Below(memarg.offset, V128),
        O::MemoryCopy { .. } | O::MemoryFill { .. } | O::MemoryInit { .. } => Noted::Three,
        O::BrIf { .. } | O::If { .. } => Noted::Choice,
        O::BrTable { .. } | O::CallIndirect { .. } => Noted::Top(0),
        other => {
            let name = format!("{other:?}");
            assert!(!name.contains("memarg"), "{name} is not known here");
            Noted::No
        }
    }
}

/// The body of one function, with the recording code.
fn function(module: &[u8], body: &wasmparser::FunctionBody<'_>, params: u64, global: u64) -> Vec<u8> {
    let mut first = params;
    let mut groups = Vec::new();
    let mut locals = body.get_locals_reader().unwrap();
    let declared = locals.get_count();
    let from = locals.original_position();
    for _ in 0..declared {
        first += u64::from(locals.read().unwrap().0);
    }
    groups.extend(leb(u64::from(declared) + 5));
    groups.extend(&module[from..locals.original_position()]);
    // Three i32, and one each of i64, f32, f64, v128.
    groups.extend([3, 0x7f, 1, 0x7e, 1, 0x7d, 1, 0x7c, 1, 0x7b]);
    let local = |op: u8, index: usize| [vec![op], leb(first + index as u64)].concat();
    let (get, set, tee) = (|index| local(0x20, index), |index| local(0x21, index), |index| local(0x22, index));
    // trace = trace × factor + the local + what is added
    let note = |index: usize, choice: bool, offset: u64| {
        let mut code = [vec![0x23], leb(global), vec![0x42], signed_leb(FACTOR), vec![0x7e], get(index)].concat();
        if choice {
            code.push(0x45);
        }
        code.extend([0xad, 0x7c, 0x42]);
        code.extend(signed_leb(offset as i64 + 1));
        code.extend([&[0x7c, 0x24][..], &leb(global)].concat());
        code
    };
    let mut out = groups;
    let operators: Vec<_> =
        body.get_operators_reader().unwrap().into_iter_with_offsets().map(|it| it.unwrap()).collect();
    for (index, (operator, at)) in operators.iter().enumerate() {
        let end = operators.get(index + 1).map_or(body.range().end, |(_, next)| *next);
        match noted(operator) {
            Noted::No => {}
            Noted::Top(offset) => out.extend([tee(0), note(0, false, offset)].concat()),
            Noted::Choice => out.extend([tee(0), note(0, true, 0)].concat()),
            Noted::Below(offset, value) => {
                out.extend([set(value), tee(0), note(0, false, offset), get(value)].concat())
            }
            Noted::Three => {
                out.extend([set(2), set(1), tee(0), note(0, false, 0), note(2, false, 0), get(1), get(2)].concat());
                if !matches!(operator, Operator::MemoryFill { .. }) {
                    out.extend(note(1, false, 0));
                }
            }
        }
        out.extend(&module[*at..end]);
    }
    out
}

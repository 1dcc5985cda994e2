//! What the coverage-guided fuzzer has found worth keeping of conversations (`fuzz/dispatch.corpus`), among it the recorded ones,
//! each held with a daemon as the fuzzer does it.

#[path = "../../../fuzz/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/dispatcher.rs"]
mod dispatcher;

#[test]
fn conversations() {
    let inputs = corpus::inputs(include_bytes!("../../../fuzz/dispatch.corpus"));
    let answered: usize = inputs.iter().map(|input| dispatcher::check(input)).sum();
    std::fs::remove_dir_all(dispatcher::folder()).unwrap();
    assert!(inputs.len() > 1_000 && answered > 1_000, "{} inputs, {answered} calls answered", inputs.len());
}

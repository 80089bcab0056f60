//! `tandem demo --script`: what it shows is true, in both languages, for people and for programs.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

use std::process::{Command, Output};

use serde_json::Value;

/// Nothing of the environment may change what is printed.
fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.arg("demo").args(arguments).env_remove("TANDEM_CONFIG");
    command.output().unwrap()
}

#[test]
fn every_expectation_holds_and_is_printed_for_programs() {
    let told = demo(&["--route", "native", "--script", "--json", "--lang", "en"]);
    let lines = String::from_utf8(told.stdout).unwrap();
    let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(told.status.success(), "{lines}{}", String::from_utf8_lossy(&told.stderr));
    let (end, expectations) = entries.split_last().unwrap();
    assert_eq!(end["entry"], "end");
    assert_eq!((end["held"].as_u64(), end["of"].as_u64()), (Some(48), Some(48)));
    assert_eq!(expectations.len(), 48);
    for expectation in expectations {
        assert_eq!((&expectation["entry"], &expectation["met"]), (&"expectation".into(), &true.into()));
        assert!(!expectation["expected"].as_str().unwrap().is_empty());
    }
    let scenes: Vec<u64> = expectations.iter().map(|one| one["scene"].as_u64().unwrap()).collect();
    assert!(scenes.is_sorted() && scenes[0] == 1 && scenes[47] == 12, "{scenes:?}");
}

#[test]
fn with_a_channel_of_ones_own_every_expectation_holds_too() {
    for lang in ["en", "ru"] {
        let told = demo(&["--route", "channel", "--script", "--json", "--lang", lang]);
        let lines = String::from_utf8(told.stdout).unwrap();
        let end: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert!(told.status.success(), "{lines}{}", String::from_utf8_lossy(&told.stderr));
        assert_eq!((end["held"].as_u64(), end["of"].as_u64()), (Some(23), Some(23)), "{lines}");
    }
}

#[test]
fn with_wahelp_in_the_middle_every_expectation_holds_too() {
    for lang in ["en", "ru"] {
        let told = demo(&["--route", "wahelp", "--script", "--json", "--lang", lang]);
        let lines = String::from_utf8(told.stdout).unwrap();
        let end: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert!(told.status.success(), "{lines}{}", String::from_utf8_lossy(&told.stderr));
        assert_eq!((end["held"].as_u64(), end["of"].as_u64()), (Some(24), Some(24)), "{lines}");
        assert_eq!(told.stderr, b"", "{}", String::from_utf8_lossy(&told.stderr));
    }
}

#[test]
fn people_read_it_in_their_language_without_a_token() {
    let told = demo(&["--script", "--lang", "ru"]);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(told.status.success(), "{text}{}", String::from_utf8_lossy(&told.stderr));
    assert!(text.contains("Анна       Здравствуйте! Вы сегодня открыты?"), "{text}");
    assert!(text.contains("Всё сошлось: 48 из 48."), "{text}");
    // What the bot does not get while a manager talks, and what it said beside the talk.
    assert!(text.contains("бот этого не получает: говорит менеджер"), "{text}");
    assert!(
        text.contains("примечание в карточке: Бот: — Спасибо за вопрос! Менеджер скоро ответит."),
        "{text}"
    );
    // The output is no terminal, so it has no colours; and a token has never a place in it.
    assert!(!text.contains('\u{1b}') && !text.contains(":AA"), "{text}");
    assert_eq!(told.stderr, b"", "{}", String::from_utf8_lossy(&told.stderr));
}

//! The bug, reproduced: the unchanged example bot and amoCRM's built-in integration on one token.
//!
//! Needs the Python environment of `scripts/setup`; without it the tests fail and say so.

use std::path::Path;
use std::time::Duration;

use tandem_sandbox::story::{self, Bug, Entry, Language, Outcome, Speaker, StoryError};

fn setup(language: Language) -> Bug {
    Bug {
        python: story::find_python(|name| std::env::var_os(name)),
        bot: story::find_bot([Path::new(env!("CARGO_MANIFEST_DIR"))]),
        language,
        seed: 1,
        patience: Duration::from_secs(20),
    }
}

#[tokio::test]
async fn the_bug_is_reproduced_with_the_real_bot() {
    let mut entries = Vec::new();
    let outcome = story::bug(&setup(Language::Russian), &mut |entry| entries.push(entry.clone())).await;
    let outcome = outcome.unwrap_or_else(|error| {
        panic!("{error}\n{}", error.advice(Language::English).unwrap_or_default());
    });
    let lines: Vec<String> =
        entries.iter().map(|entry| entry.render(Language::Russian).to_string()).collect();
    let transcript = lines.join("\n");
    assert_eq!(outcome, Outcome::Reproduced, "{transcript}");

    let steps = entries.iter().filter(|entry| matches!(entry, Entry::Step { .. })).count();
    let checks: Vec<bool> = entries
        .iter()
        .filter_map(|entry| if let Entry::Check { met, .. } = entry { Some(*met) } else { None })
        .collect();
    assert_eq!((steps, checks.len()), (5, 12), "{transcript}");
    assert!(checks.iter().all(|met| *met), "{transcript}");

    let said = |who: Speaker, words: &str| {
        entries.iter().any(
            |entry| matches!(entry, Entry::Line { speaker, text } if *speaker == who && text.contains(words)),
        )
    };
    assert!(said(Speaker::Bot, "Менеджер скоро ответит"), "{transcript}");
    assert!(said(Speaker::Log, "TelegramConflictError"), "{transcript}");
    assert!(transcript.contains("Ошибка воспроизведена"), "{transcript}");
}

#[tokio::test]
async fn a_bot_that_leaves_the_stream_alone_does_not_reproduce_the_bug() {
    let folder = tandem_testkit::folder();
    std::fs::write(folder.path().join("bot.py"), "import time; time.sleep(600)").unwrap();
    let bot = folder.path().to_path_buf();
    let patience = Duration::from_millis(300);
    let mut entries = Vec::new();
    let bug = Bug { bot, patience, ..setup(Language::English) };
    let outcome = story::bug(&bug, &mut |entry| entries.push(entry.clone())).await.unwrap();
    assert_eq!(outcome, Outcome::NotReproduced);
    let unmet = entries.iter().filter(|entry| matches!(entry, Entry::Check { met: false, .. })).count();
    assert_eq!(unmet, 6, "{entries:#?}");
}

#[tokio::test]
async fn missing_python_and_missing_bot_are_said_with_what_to_do() {
    let told = async |bug: Bug| story::bug(&bug, &mut |_| {}).await.unwrap_err();
    let here = setup(Language::English);
    let error = told(Bug { python: "/nonexistent/python".into(), ..here.clone() }).await;
    assert!(matches!(error, StoryError::Python { .. }), "{error}");
    assert!(error.advice(Language::English).unwrap().contains("scripts/setup"));
    let error = told(Bug { python: "/bin/false".into(), ..here.clone() }).await;
    assert!(matches!(error, StoryError::Aiogram { .. }), "{error}");
    assert!(error.advice(Language::Russian).unwrap().contains("scripts/setup"));
    let error = told(Bug { bot: "/nonexistent".into(), ..here }).await;
    assert!(matches!(error, StoryError::Bot(_)), "{error}");
}

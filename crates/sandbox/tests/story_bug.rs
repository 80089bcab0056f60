//! The bug, reproduced: the unchanged example bot and amoCRM's built-in integration on one token.
//!
//! Needs the Python environment of `scripts/setup`; without it the tests fail and say so.

use std::path::Path;

use tandem_sandbox::story::{self, Bug, Entry, Language, Outcome, Speaker, StoryError};

fn setup(language: Language) -> Bug {
    Bug {
        python: story::find_python(|name| std::env::var_os(name)),
        bot: story::find_bot([Path::new(env!("CARGO_MANIFEST_DIR"))]),
        language,
        seed: 1,
    }
}

async fn told(language: Language) -> (Outcome, Vec<Entry>, String) {
    let mut entries = Vec::new();
    let outcome = story::bug(&setup(language), &mut |entry| entries.push(entry.clone())).await;
    let outcome = outcome.unwrap_or_else(|error| {
        let advice = error.advice(Language::English).unwrap_or_default();
        panic!("{error}\n{advice}")
    });
    let transcript = entries.iter().map(|entry| format!("{}\n", entry.render(language))).collect::<String>();
    (outcome, entries, transcript)
}

#[tokio::test]
async fn the_bug_is_reproduced_with_the_real_bot() {
    let (outcome, entries, transcript) = told(Language::Russian).await;
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
async fn the_story_can_be_told_in_english_and_as_json() {
    let (outcome, entries, transcript) = told(Language::English).await;
    assert_eq!(outcome, Outcome::Reproduced, "{transcript}");
    assert!(transcript.contains("✓ amoCRM sees the client: «How many bonuses do I have?»"), "{transcript}");
    let json = serde_json::to_value(entries.last().unwrap()).unwrap();
    assert_eq!((&json["entry"], &json["outcome"]), (&"end".into(), &"reproduced".into()));
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

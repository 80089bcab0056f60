//! What is wrong with a list of rules, before it decides anything.

use super::{Audience, RuleAction, RuleDocument, line::Line, words::Words};

/// Most rules of a list.
const RULES: usize = 50;
/// Most words of a condition.
const WORDS: usize = 50;

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {number}: {what}")]
pub struct RuleProblem {
    /// Which rule, from 1.
    pub number: usize,
    /// What is wrong and what is expected.
    pub what: String,
}

/// Refuses a list that cannot be what its owner means.
pub fn check(list: &[RuleDocument], audience: Audience) -> Result<(), RuleProblem> {
    if list.len() > RULES {
        let what = format!("a route has at most {RULES} rules, and there are {}", list.len());
        return Err(RuleProblem { number: RULES + 1, what });
    }
    for (place, rule) in list.iter().enumerate() {
        let problem = |what: String| RuleProblem { number: place + 1, what };
        check_words(rule).map_err(problem)?;
        match (rule.action, &rule.line) {
            (RuleAction::ShowAs, _) if audience == Audience::Everything => {
                return Err(problem(
                    "do = \"show_as\" is for routes of mode \"channel\" and \"api\"; this one passes Telegram's updates \
                     on unchanged: expected \"skip\" or \"show\""
                        .to_owned(),
                ));
            }
            (RuleAction::ShowAs, Some(line)) => drop(Line::parse(line).map_err(problem)?),
            (RuleAction::ShowAs, None) => {
                return Err(problem("do = \"show_as\" needs as = \"…\", the line to show".to_owned()));
            }
            (RuleAction::Skip | RuleAction::Show, Some(_)) => {
                return Err(problem(
                    "as = \"…\" goes with do = \"show_as\" and with nothing else".to_owned(),
                ));
            }
            (RuleAction::Skip | RuleAction::Show, None) => {}
        }
        if rule.when.is_empty() && place + 1 < list.len() {
            return Err(problem(
                "it has no condition and so fits everything: the rules behind it would never be asked; put it last"
                    .to_owned(),
            ));
        }
    }
    Ok(())
}

fn check_words(rule: &RuleDocument) -> Result<(), String> {
    let when = &rule.when;
    let count = |count: Option<usize>, name: &str| match count {
        Some(0) => Err(format!("{name} is an empty list, which nothing fits: leave it out")),
        Some(count) if count > WORDS => Err(format!("{name} has {count} words; at most {WORDS}")),
        Some(_) | None => Ok(()),
    };
    count(when.kind.as_ref().map(Words::len), "kind")?;
    count(when.author.as_ref().map(Words::len), "author")?;
    count(when.chat.as_ref().map(Words::len), "chat")?;
    count(when.command.as_ref().and_then(super::Asked::len), "command")?;
    count(when.button.as_ref().and_then(super::Asked::len), "button")?;
    count(when.state.as_ref().map(Words::len), "state")?;
    count(when.text.as_ref().map(Words::len), "text")
}

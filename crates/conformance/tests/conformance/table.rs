//! What a table is made of: named cases in the reference's groups, each with what is expected and how either side
//! answers to it.

use futures_util::future::LocalBoxFuture;

use crate::stage::{Side, Stage};

/// One sentence of the reference, as something that happens over HTTP.
pub(crate) struct Case {
    /// The name of its function.
    pub(crate) name: &'static str,
    /// The section of the reference that says so.
    pub(crate) section: &'static str,
    /// What is expected, in a sentence.
    pub(crate) expects: &'static str,
    /// With which settings both sides are started.
    pub(crate) settings: Settings,
    /// How some library really behaves, if that is what the case plays.
    pub(crate) habit: Option<Habit>,
    at_sandbox: Verdict,
    at_tandem: Verdict,
    pub(crate) run: Run,
}

/// Plays a case; a panic is a failure.
pub(crate) type Run = for<'a> fn(&'a mut Stage) -> LocalBoxFuture<'a, ()>;

/// How a side answers to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As the reference says.
    Conforms,
    /// Otherwise, and on purpose: the case asserts exactly how.
    Differs(&'static str),
}

/// Where the reference knows two kinds of Telegram, which one both sides are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settings {
    /// The cloud's words; webhooks at any address, as a local server takes them.
    Usual,
    /// Webhooks as the cloud takes them: https, four ports, public addresses.
    PublicWebhooks,
    /// The open-source server's words.
    BareServer,
}

/// Behaviour of libraries that the issue asks to be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Habit {
    AnswersConflictWithDeleteWebhook,
    PollsWithoutPause,
    StartsAtOffsetOne,
    SendsEverythingInTheQuery,
    ConfirmsItsLastBatchOnStop,
    ChecksTokensByPattern,
    DownloadsWithAnEncodedPath,
}

impl Habit {
    pub(crate) const ALL: [Self; 7] = [
        Self::AnswersConflictWithDeleteWebhook,
        Self::PollsWithoutPause,
        Self::StartsAtOffsetOne,
        Self::SendsEverythingInTheQuery,
        Self::ConfirmsItsLastBatchOnStop,
        Self::ChecksTokensByPattern,
        Self::DownloadsWithAnEncodedPath,
    ];

    /// For the page.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::AnswersConflictWithDeleteWebhook => "a library that answers a 409 with `deleteWebhook`",
            Self::PollsWithoutPause => "one that polls with timeout 0 and no pause",
            Self::StartsAtOffsetOne => "one that starts at offset 1",
            Self::SendsEverythingInTheQuery => "one that sends everything in the query string",
            Self::ConfirmsItsLastBatchOnStop => "one that confirms its last batch on stop",
            Self::ChecksTokensByPattern => "one that validates tokens by pattern",
            Self::DownloadsWithAnEncodedPath => "one that downloads files with a percent-encoded path",
        }
    }
}

impl Case {
    pub(crate) const fn new(
        name: &'static str,
        section: &'static str,
        expects: &'static str,
        run: Run,
    ) -> Self {
        Self {
            name,
            section,
            expects,
            settings: Settings::Usual,
            habit: None,
            at_sandbox: Verdict::Conforms,
            at_tandem: Verdict::Conforms,
            run,
        }
    }

    /// The sandbox differs, for this reason.
    pub(crate) const fn sandbox_differs(self, reason: &'static str) -> Self {
        Self { at_sandbox: Verdict::Differs(reason), ..self }
    }

    /// Tandem differs, for this reason.
    pub(crate) const fn tandem_differs(self, reason: &'static str) -> Self {
        Self { at_tandem: Verdict::Differs(reason), ..self }
    }

    /// Both do.
    pub(crate) const fn both_differ(self, reason: &'static str) -> Self {
        self.sandbox_differs(reason).tandem_differs(reason)
    }

    pub(crate) const fn with(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    pub(crate) const fn habit(self, habit: Habit) -> Self {
        Self { habit: Some(habit), ..self }
    }

    pub(crate) const fn verdict(&self, side: Side) -> Verdict {
        match side {
            Side::Sandbox => self.at_sandbox,
            Side::Tandem => self.at_tandem,
        }
    }
}

/// A case of the function of this name.
macro_rules! case {
    ($function:ident, $section:literal, $expects:literal $(,)?) => {
        $crate::table::Case::new(stringify!($function), $section, $expects, |t| Box::pin($function(t)))
    };
}
pub(crate) use case;

/// One of the reference's groups (section 10).
pub(crate) struct Group {
    pub(crate) title: &'static str,
    /// Several lists, where a group is long.
    pub(crate) cases: &'static [&'static [Case]],
}

impl Group {
    pub(crate) fn cases(&self) -> impl Iterator<Item = &'static Case> {
        self.cases.iter().copied().flatten()
    }
}

//! What an offset asks for (reference/telegram.md 2.2).

use tandem_model::VirtualId;

/// How far beyond the next id an offset may be before it is taken for a mistake.
const BEYOND: i64 = 10;

/// What happens before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirm {
    /// Nothing is confirmed.
    Nothing,
    /// Everything with a smaller id is.
    Below(VirtualId),
    /// Everything but the last so many events is.
    AllBut(u64),
}

/// Reads an offset. `next`: the id the next update will get; `None` when there never was one.
///
/// An offset far below the oldest id needs no case of its own: it confirms nothing, and the answer begins with the
/// oldest.
pub(super) fn confirm(offset: i64, next: Option<VirtualId>) -> Confirm {
    if offset < 0 {
        return Confirm::AllBut(offset.unsigned_abs());
    }
    match (VirtualId::new(offset), next) {
        (Ok(id), Some(next)) if offset <= next.get() + BEYOND => Confirm::Below(id),
        _ => Confirm::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_mean_what_they_mean_to_telegram() {
        let id = |value| VirtualId::new(value).unwrap();
        let next = Some(id(1000));
        for (offset, expected) in [
            (0, Confirm::Nothing),
            (1, Confirm::Below(id(1))),
            (999, Confirm::Below(id(999))),
            (1000, Confirm::Below(id(1000))),
            (1010, Confirm::Below(id(1010))),
            (1011, Confirm::Nothing),
            (i64::from(i32::MAX) + 1, Confirm::Nothing),
            (i64::MAX, Confirm::Nothing),
            (-1, Confirm::AllBut(1)),
            (-100, Confirm::AllBut(100)),
            (i64::MIN, Confirm::AllBut(1 << 63)),
        ] {
            assert_eq!(confirm(offset, next), expected, "offset {offset}");
        }
        assert_eq!(confirm(5, None), Confirm::Nothing);
    }
}

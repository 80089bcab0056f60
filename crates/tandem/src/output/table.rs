//! Columns for a terminal.

/// Rows under a heading, each column as wide as its widest cell.
pub(crate) struct Table<const COLUMNS: usize> {
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// With a heading and no rows.
    pub(crate) fn new(heading: [&str; COLUMNS]) -> Self {
        Self { rows: vec![heading.map(str::to_uppercase)] }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(cells);
    }

    /// The lines, each with its end. Lines of a cell beyond the first are dropped: what is longer than a line belongs
    /// below the table.
    pub(crate) fn render(&self) -> String {
        let mut widths = [0; COLUMNS];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(shown(cell).chars().count());
            }
        }
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (width, cell) in widths.iter().zip(row) {
                let cell = shown(cell);
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// An empty cell is marked, so that columns can be counted (by `awk`, too).
fn shown(cell: &str) -> &str {
    match cell.lines().next() {
        None | Some("") => "-",
        Some(line) => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["name", "state", "note"]);
        table.row(["имя".to_owned(), "running".to_owned(), String::new()]);
        table.row(["longer name".to_owned(), "x".to_owned(), "one\ntwo".to_owned()]);
        insta::assert_snapshot!(table.render(), @"
        NAME         STATE    NOTE
        имя          running  -
        longer name  x        one
        ");
    }
}

//! What the documents name exists.

use std::path::Path;

/// The parts of the repository that a document can name by a path in backquotes.
const ROOTS: [&str; 6] = ["crates/", "clients", "examples", "bench", "docs/", "scripts/"];

#[test]
fn every_path_that_a_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for document in ["docs/ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "README.ru.md"] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let quoted = text.split('`').skip(1).step_by(2);
        let paths: Vec<_> = quoted
            .filter(|word| ROOTS.iter().any(|start| word.starts_with(start)) && !word.contains(' '))
            .filter(|word| !word.contains('<'))
            .collect();
        assert!(
            document != "docs/ARCHITECTURE.md" || paths.len() > 20,
            "the reading of {document} is broken"
        );
        for path in paths {
            assert!(root.join(path).exists(), "{document} names {path}");
        }
    }
}

#[test]
fn every_link_of_the_readmes_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for document in ["README.md", "README.ru.md"] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let links: Vec<_> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        assert!(links.len() > 5, "the reading of {document} is broken");
        for link in links.into_iter().filter(|link| !link.contains("://")) {
            let path = link.split('#').next().unwrap();
            assert!(root.join(path).exists(), "{document} links to {link}");
        }
    }
}

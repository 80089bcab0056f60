//! The kept corpora, through the same functions that the fuzz targets call.

use std::{fs, path::Path};

use tandem_hostile::ALL;

#[test]
fn every_property_holds_for_its_corpus() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, property) in ALL {
        let mut inputs = 0;
        for entry in fs::read_dir(corpora.join(name)).unwrap() {
            let path = entry.unwrap().path();
            // What fails is named by the test's output.
            println!("{}", path.display());
            property(&fs::read(path).unwrap());
            inputs += 1;
        }
        assert!(inputs > 5, "the corpus of {name} is kept");
    }
}

#[test]
fn every_property_has_a_target_and_no_corpus_is_left_over() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let names = |folder: &str| {
        let mut names: Vec<_> = fs::read_dir(fuzz.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let known: Vec<_> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), known);
    assert_eq!(names("corpus"), known);
}

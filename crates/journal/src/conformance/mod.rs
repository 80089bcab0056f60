//! What every engine has to pass: each case is a named test of each engine.
//!
//! An engine's crate implements [`Engine`] in a test and calls [`conformance_suite!`](crate::conformance_suite). A
//! verb of the seam without a case here is unfinished. What belongs to one engine only (its files, its errors when
//! they are damaged) is tested beside that engine.

pub mod conversations;
pub mod events;
pub mod held;
pub mod inbox;
pub mod lanes;
pub mod leases;
pub mod numbers;
pub mod outside;
pub mod retention;
pub mod settings;
pub mod world;

pub use world::{Engine, ManualClock, World};

/// Makes a test of each case for an [`Engine`]. The crate that calls it needs `tokio` with macros.
#[macro_export]
macro_rules! conformance_suite {
    ($engine:ident) => {
        $crate::conformance_cases! { $engine;
            events: [
                what_is_appended_is_read_back_as_it_was_given,
                an_append_of_nothing_is_fine,
                facts_are_committed_with_the_events,
                one_event_too_large_is_refused_and_nothing_of_its_batch_stays,
                pages_end_by_events_and_by_bytes,
                a_lane_reads_what_its_filter_lets_through,
                a_lane_gets_over_any_number_of_events_it_does_not_want,
                a_filter_decides_about_later_events_only,
                a_lane_is_outlined_from_both_ends,
                an_outline_gets_over_any_number_of_events,
                figures_say_what_was_done,
                many_at_once_are_numbered_without_gaps,
                bots_do_not_see_each_other,
                everything_is_there_after_reopening,
                a_closed_store_refuses,
            ],
            numbers: [
                a_repeat_is_recognised_also_within_a_batch,
                what_looks_like_a_repeat_but_is_not_is_kept,
                a_repeat_is_forgotten_after_48_hours,
                ids_for_apps_survive_late_repeated_and_rebased_ids,
                only_updates_get_ids_for_apps,
                what_else_apps_are_shown_takes_an_id_of_its_own,
                a_position_is_found_by_an_id_for_apps,
                numbers_go_on_after_reopening_and_after_everything_was_swept,
            ],
            conversations: [
                a_conversation_is_read_in_order_between_two_points,
                a_conversation_is_read_by_family,
                a_conversation_is_read_with_the_filters_of_the_time,
                a_long_conversation_is_read_in_pages,
            ],
            lanes: [
                a_lane_begins_where_it_is_told,
                a_name_is_taken_once_and_an_id_never_given_again,
                lanes_are_listed_in_pages,
                a_survey_shows_all_lanes_of_all_bots_by_need,
                a_settlement_is_kept_as_a_whole,
                a_cursor_goes_back_only_when_it_is_moved,
                a_settlement_carries_facts,
                a_filter_that_is_already_there_changes_nothing,
                a_lane_that_is_not_there_is_missing,
                a_removed_lane_leaves_nothing_behind,
            ],
            held: [
                held_rows_are_kept_replaced_and_dropped,
                held_rows_are_listed_by_state_in_pages,
                the_first_blocking_row_of_a_key_is_found,
                blocked_keys_are_listed_in_pages,
            ],
            leases: [
                a_shard_has_one_owner_until_its_time_is_over,
                a_restarted_holder_gets_his_shards_back_with_a_new_fence,
                a_lease_is_renewed_until_somebody_else_has_it,
                a_released_shard_is_free_at_once,
                nothing_is_written_with_an_old_fence,
                fences_grow_over_reopening,
            ],
            inbox: [
                entries_are_listed_by_shard_in_order,
                an_append_consumes_its_entries_with_it,
                a_refused_append_consumes_nothing,
            ],
            outside: [
                links_are_found_from_both_sides,
                the_newest_links_of_an_account_come_first,
                a_person_is_put_together_from_what_becomes_known,
                people_are_found_by_the_number_they_shared,
                contacts_are_found_from_both_sides,
                a_hand_off_lasts_until_the_latest_word,
                secrets_are_kept_apart_by_owner_and_name,
            ],
            settings: [
                settings_are_kept_and_counted,
                a_change_on_an_old_revision_is_refused,
                changes_are_made_all_or_none,
                what_is_removed_takes_its_secrets_along,
                a_connection_in_use_stays,
            ],
            retention: [
                an_event_goes_when_it_is_old_and_every_route_has_passed_it,
                apps_never_hold_back_deletion,
                a_held_event_stays_until_it_is_let_go,
                what_is_too_old_goes_and_is_one_record_per_route,
                the_oldest_go_when_there_are_too_many_bytes,
                a_sweep_is_done_in_bounded_steps,
                old_links_go_too,
                space_is_given_back,
                a_sound_store_says_so,
            ],
        }
    };
}

/// The part of [`conformance_suite!`](crate::conformance_suite) that makes tests of names.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($engine:ident; $($subject:ident: [$($case:ident,)*],)*) => {
        $(
            mod $subject {
                $(
                    #[tokio::test]
                    async fn $case() {
                        $crate::conformance::$subject::$case::<super::$engine>().await;
                    }
                )*
            }
        )*
    };
}

//! The command line and its description cannot part.

use clap::CommandFactory as _;

use super::*;

#[test]
fn the_command_line_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn every_option_is_in_a_group_and_explained() {
    for argument in Arguments::command().get_arguments() {
        assert!(argument.get_help_heading().is_some(), "{} has no group", argument.get_id());
        assert!(argument.get_help().is_some(), "{} is not explained", argument.get_id());
    }
}

#[test]
fn every_option_is_in_the_readme() {
    let readme = include_str!("../../README.md");
    let missing: Vec<String> = Arguments::command()
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        .map(|name| format!("`--{name}`"))
        .filter(|name| !readme.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in the README: {missing:?}");
}

#[test]
fn the_readme_knows_no_option_that_there_is_not() {
    let known: Vec<String> = Arguments::command()
        .get_arguments()
        .filter_map(|argument| Some(format!("`--{}`", argument.get_long()?)))
        .collect();
    let rows = include_str!("../../README.md").lines().filter(|line| line.starts_with("| `--"));
    let mut named = 0;
    for option in rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split(", ")) {
        assert!(known.iter().any(|name| name == option.trim()), "{option} is no option");
        named += 1;
    }
    assert!(named >= known.len(), "{named} options in the table, {} in all", known.len());
}

#[test]
fn every_choice_of_limits_has_a_meaning() {
    let names: Vec<String> = Mode::value_variants().iter().map(word).collect();
    assert_eq!(names, Throttle::NAMES);
    let names: Vec<String> = Endpoints::value_variants().iter().map(word).collect();
    assert_eq!(names, EndpointLimits::NAMES);
}

#[test]
fn a_plain_world_is_counted_in_items_per_project() {
    let line = "gitlab-sim --bulk --projects 1000 --issues 500 --merge-requests 400 --notes 2";
    let arguments = Arguments::try_parse_from(line.split_whitespace()).unwrap();
    let bulk = arguments.bulk_world(Timestamp::UNIX_EPOCH);
    assert_eq!((bulk.issues, bulk.merge_requests), (500_000, 400_000));
    assert_eq!((bulk.projects, bulk.notes), (1_000, 1_800_000));
    for wrong in ["gitlab-sim --notes 2", "gitlab-sim --bulk --life 3"] {
        assert!(Arguments::try_parse_from(wrong.split_whitespace()).is_err(), "{wrong}");
    }
}

#[test]
fn an_early_version_is_made_of_its_habits() {
    let line = "gitlab-sim --blobs costly --constant-etag --projects-have-ceiling \
                --offset-ceiling 7 --fresh-lists --graphql-fields 9 --hook-timeout 2s \
                --hook-retries 3 --latency 1ms --latency-of list=40ms \
                --latency-of graphql=1s..2s --gitlab-version 18.4.2-ee";
    let options = Arguments::try_parse_from(line.split_whitespace()).unwrap().options();
    assert_eq!((options.blobs, options.offset_ceiling), (BlobRegime::Costly, 7));
    assert!(options.constant_etag && options.projects_have_ceiling && !options.stale_lists);
    assert_eq!((options.graphql_fields, options.hooks.retries), (Some(9), 3));
    assert_eq!(options.hooks.timeout, Duration::from_secs(2));
    let (millis, secs) = (Duration::from_millis, Duration::from_secs);
    assert_eq!(options.latency.list, Delay::fixed(millis(40)));
    assert_eq!(options.latency.single, Delay::fixed(millis(1)));
    assert_eq!(options.latency.graphql, Delay::between(secs(1), secs(2)));
    assert!(kind_delay("odd=1s").is_err() && kind_delay("list").is_err());
}

#[test]
fn waits_are_one_time_or_a_range() {
    let millis = Duration::from_millis;
    assert_eq!(delay("40ms"), Ok(Delay::fixed(millis(40))));
    assert_eq!(delay("20ms..80ms"), Ok(Delay::between(millis(20), millis(80))));
    assert!(delay("soon").is_err());
    assert!(delay("-1s").is_err());
}

#[test]
fn options_follow_from_arguments() {
    let line = "gitlab-sim --throttle only-429 --limit 5 --period 1h --tier premium \
                --faults rough --fault-seed 7 --no-control --log-size 0";
    let options = Arguments::try_parse_from(line.split_whitespace()).unwrap().options();
    assert_eq!(
        options.throttle,
        Throttle::Only429(Limit { requests: 5, period: Duration::from_hours(1) })
    );
    assert_eq!(options.tier, Tier::Premium);
    assert_eq!(options.faults, Some(FaultSchedule::seeded(7, FaultProfile::Rough)));
    assert!(!options.control && options.log_size.is_none());
    assert_eq!(options.version, Options::default().version);
}

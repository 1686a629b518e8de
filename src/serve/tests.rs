//! What needs the inside of the module; what callers see is tested in `tests/http_api.rs`.

use axum::body::Body;
use axum::http::{StatusCode, header};
use tower::ServiceExt;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_ends_as_a_problem() {
    let router = Router::new()
        .route("/", get(std::future::pending::<()>))
        .layer(middleware::from_fn(in_time));
    let began = tokio::time::Instant::now();
    let Ok(response) = router.oneshot(Request::new(Body::empty())).await;
    assert_eq!(began.elapsed().as_secs(), TIMEOUT.as_secs());
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
}

#[test]
fn the_document_writes_paths_in_its_own_grammar() {
    let (_, document) =
        OpenApiRouter::<App>::with_openapi(ApiDoc::openapi()).merge(v1::routes()).split_for_parts();
    let paths = v1::documented(document).paths.paths;
    assert!(paths.contains_key("/v1/references/{kind}/{id}"));
    let foreign: Vec<&String> = paths.keys().filter(|path| path.contains(['*', ':'])).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

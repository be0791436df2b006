use http_body_util::BodyExt as _;

use super::*;

const TERMS: &str = "group=tv;limit=1;on-limit=end-oldest;viewer=id;period=60;grace=30;keys-ahead=1;session=86400";

async fn ask(service: &Service, session: char, period: u64) -> (u16, String) {
    let request = Request::get("/lease")
        .header("x-playlock-leases", TERMS)
        .header("x-playlock-policy", "vod")
        .header("x-playlock-session", format!("{}{session}A", "A".repeat(20)))
        .header("x-playlock-paths", "/vod/*")
        .header("x-playlock-period", period)
        .header("x-playlock-access-token-id", "ann")
        .body(())
        .unwrap();
    send(service, request).await
}

async fn send(service: &Service, request: Request<()>) -> (u16, String) {
    let Ok(response) = service.answer(Realm::Default, request).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn answers_are_statuses_with_problem_documents() {
    let service = Service::new(Store::memory(), |_| ());
    assert_eq!(ask(&service, 'A', 0).await, (204, String::new()));
    assert_eq!(ask(&service, 'A', 1).await.0, 204);
    let (status, body) = ask(&service, 'A', 2).await;
    assert_eq!(
        (status, serde_json::from_str::<serde_json::Value>(&body).unwrap()["type"].as_str()),
        (429, Some("ahead"))
    );
    assert_eq!(ask(&service, 'B', 0).await.0, 204);
    let (status, body) = ask(&service, 'A', 1).await;
    assert_eq!(
        (status, serde_json::from_str::<serde_json::Value>(&body).unwrap()["type"].as_str()),
        (410, Some("ended"))
    );
    let text = service.counters.text(None);
    assert!(text.contains("{answer=\"granted\"} 3\n") && text.contains("{answer=\"ended\"} 1\n"), "{text}");
}

#[tokio::test]
async fn questions_that_cannot_be_read_are_told_why() {
    let service = Service::new(Store::memory(), |_| ());
    let (status, body) = send(&service, Request::get("/").body(()).unwrap()).await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 400);
    assert!(body["detail"].as_str().unwrap().starts_with("x-playlock-leases: missing"), "{body}");
    assert_eq!(send(&service, Request::post("/").body(()).unwrap()).await.0, 405);
}

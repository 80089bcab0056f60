//! `tandem apps`: several programs on one bot, while the service runs and without it.

use serde_json::json;

use crate::world::World;

#[test]
fn an_app_is_limited_and_chosen_while_the_service_runs_and_without_it() {
    let world = World::new();
    let service = world.serve();
    world.adopt();
    let made =
        world.run(&["apps", "add", "orders", "--claim", "order:", "--methods", "getChat", "--json"]).json();
    let token = made["token"].as_str().unwrap();
    let refused = service.call(token, "sendMessage");
    assert_eq!((&refused["ok"], &refused["error_code"]), (&json!(false), &json!(400)), "{refused}");
    world.run(&["apps", "limit", "orders", "--methods", "any", "--chats", "-1001,@Shop"]).done();
    assert_eq!(service.call(token, "getMe")["ok"], true);
    let said = world.run(&["apps", "own", "inline", "orders"]).done();
    assert!(said.contains("alone answers inline"), "{said}");
    assert!(service.terminate().0.success());

    let said = world.run(&["apps"]).done();
    for line in ["claims presses that begin with order:", "may use the chats -1001, @shop"] {
        assert!(said.contains(line), "{said}");
    }
    world.run(&["apps", "own", "inline", "--unset"]).done();
    world.run(&["apps", "limit", "orders", "--chats", "any"]).done();
    world.run(&["apps", "set", "orders", "--no-claims", "--sees", "sent"]).done();
    let apps = world.run(&["apps", "--json"]).json();
    let orders = &apps["apps"][1];
    assert_eq!((&orders["limits"], &orders["claims"]), (&json!({}), &json!([])));
    assert_eq!((&orders["owns"], &orders["sees"]), (&json!([]), &json!(["sent"])));
    assert_eq!(orders["waiting"]["events"], 0);

    let wrong = world.run(&["apps", "limit", "orders", "--methods", "sendMesage"]);
    assert!(wrong.code == 2 && wrong.err.contains("sendMesage"), "{wrong:?}");
    world.run(&["apps", "set", "main", "--claim", "m:"]).done();
    let said = world.run(&["apps", "set", "orders", "--claim", "m:"]).refused();
    assert!(said.contains("main") && said.contains("m:"), "{said}");
}

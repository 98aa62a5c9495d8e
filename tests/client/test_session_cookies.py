from metastore.client.sessions import Session


def test_a_cookie_is_sent_to_its_path_only() -> None:
    session = Session(server="https://drive.example.org")
    session.update(["a=1; Path=/; HttpOnly; SameSite=Lax", "__Secure-r=2; Path=/api; Secure; Max-Age=60"])
    assert session.header("/api/v1/files") == "a=1; __Secure-r=2"
    assert session.header("/apix") == "a=1"
    assert session.header("/api") == "a=1; __Secure-r=2"


def test_a_cookie_is_replaced_and_deleted() -> None:
    session = Session(server="https://drive.example.org")
    session.update(["a=1; Path=/", "b=1; Path=/"])
    session.update(["a=2; Path=/", 'b=""; Max-Age=0; Path=/'])
    assert session.header("/") == "a=2"
    session.update(["a=gone; expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/"])
    assert session.header("/") == ""

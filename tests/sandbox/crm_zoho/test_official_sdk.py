"""The vendor's own Python SDK as a client over real HTTP: what it reads and accepts is the proof that the stand-in is faithful.

Source: PyPI `zohocrmsdk8_0` 7.0.0; it parses every answer into its own classes and refuses what does not fit them.
"""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, ParameterMap, bulk_read, coql, modules, notifications, org, users
from zohocrmsdk.src.com.zoho.crm.api import blueprint as blueprints
from zohocrmsdk.src.com.zoho.crm.api import record as records
from zohocrmsdk.src.com.zoho.crm.api import related_records as related
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

from tests.sandbox.crm_zoho.conftest import Zoho


def _record(**fields: Any) -> Any:
    record = records.Record()
    for name, value in fields.items():
        if name == "id":
            record.set_id(int(value))
        else:
            record.add_key_value(name, value)
    return record


def _body(*items: Any, keys: list[str] | None = None) -> Any:
    body = records.BodyWrapper()
    body.set_data(list(items))
    if keys is not None:
        body.set_duplicate_check_fields(keys)
    return body


def _params(**named: Any) -> ParameterMap:
    found = ParameterMap()
    for name, value in named.items():
        found.add(getattr(records.GetRecordsParam, name), value)
    return found


def _created(response: Any) -> list[str]:
    assert response.get_status_code() == 201
    return [str(entry.get_details()["id"]) for entry in response.get_object().get_data()]


def test_the_sdk_signs_in_once_and_creates_an_account(sdk: Zoho) -> None:
    accounts = records.RecordOperations("Accounts")
    response = accounts.create_records(
        _body(_record(Account_Name="深圳市华南经销有限公司", Hub_Key="A1", Credit_Limit=100000.5)), HeaderMap()
    )
    accounts.create_records(_body(_record(Account_Name="广州市白云商贸有限公司")), HeaderMap())

    (entry,) = response.get_object().get_data()[:1]
    assert isinstance(entry, records.SuccessResponse)
    assert entry.get_code().get_value() == "SUCCESS"
    assert entry.get_details()["Created_Time"].utcoffset() is not None
    assert [line["path"] for line in sdk.vendor.log.after()].count("/oauth/v2/token") == 1


def test_the_sdk_pages_through_a_list(sdk: Zoho) -> None:
    accounts = records.RecordOperations("Accounts")
    for start in (0, 100, 200):
        accounts.create_records(_body(*(_record(Account_Name=f"客户{start + n:03d}") for n in range(100))), HeaderMap())

    asked = {"fields": "id,Account_Name", "sort_by": "id", "sort_order": "asc", "per_page": 120}
    answer = accounts.get_records(_params(**asked), HeaderMap()).get_object()
    seen = [row.get_key_value("Account_Name") for row in answer.get_data()]
    while answer.get_info().get_more_records():
        answer = accounts.get_records(_params(**asked, page_token=answer.get_info().get_next_page_token()), HeaderMap()).get_object()
        seen += [row.get_key_value("Account_Name") for row in answer.get_data()]

    assert seen == [f"客户{n:03d}" for n in range(300)]


def test_the_sdk_reads_304_and_204_as_nothing(sdk: Zoho) -> None:
    accounts = records.RecordOperations("Accounts")
    assert accounts.get_records(_params(fields="id"), HeaderMap()).get_status_code() == 204

    accounts.create_records(_body(_record(Account_Name="东方")), HeaderMap())
    headers = HeaderMap()
    headers.add(records.GetRecordsHeader.if_modified_since, datetime.now(UTC) + timedelta(hours=1))
    unchanged = accounts.get_records(_params(fields="id"), headers)
    headers = HeaderMap()
    headers.add(records.GetRecordsHeader.if_modified_since, datetime.now(UTC) - timedelta(hours=1))
    changed = accounts.get_records(_params(fields="id"), headers)

    assert unchanged.get_status_code() == 304
    assert unchanged.get_object() is None
    assert len(changed.get_object().get_data()) == 1


def test_the_sdk_tells_the_good_and_the_bad_record_of_a_batch_apart(sdk: Zoho) -> None:
    accounts = records.RecordOperations("Accounts")
    accounts.create_records(_body(_record(Account_Name="已有", Hub_Key="A1")), HeaderMap())

    response = accounts.create_records(_body(_record(Account_Name="新的"), _record(Account_Name="重复", Hub_Key="A1")), HeaderMap())

    good, bad = response.get_object().get_data()
    assert response.get_status_code() == 207
    assert isinstance(good, records.SuccessResponse)
    assert isinstance(bad, records.APIException)
    assert bad.get_code().get_value() == "DUPLICATE_DATA"
    assert isinstance(bad.get_details()["duplicate_record"], records.DuplicateRecord)


def test_the_sdk_upserts_by_the_hub_key_and_updates(sdk: Zoho) -> None:
    accounts = records.RecordOperations("Accounts")
    first = accounts.upsert_records(_body(_record(Account_Name="华南", Hub_Key="A1"), keys=["Hub_Key"]), HeaderMap())
    again = accounts.upsert_records(_body(_record(Account_Name="华南经销", Hub_Key="A1"), keys=["Hub_Key"]), HeaderMap())

    (made,), (changed,) = first.get_object().get_data(), again.get_object().get_data()
    assert (made.get_action().get_value(), changed.get_action().get_value()) == ("insert", "update")
    assert changed.get_duplicate_field() == "Hub_Key"
    key = int(made.get_details()["id"])
    assert accounts.update_record(key, _body(_record(Phone="0755-88886666")), HeaderMap()).get_status_code() == 200
    found = accounts.get_record(key, ParameterMap(), HeaderMap()).get_object().get_data()[0]
    assert (found.get_key_value("Account_Name"), found.get_key_value("Phone")) == ("华南经销", "0755-88886666")


def test_the_sdk_writes_and_reads_the_lines_of_an_order(sdk: Zoho) -> None:
    (account,) = _created(records.RecordOperations("Accounts").create_records(_body(_record(Account_Name="华南")), HeaderMap()))
    (pump,) = _created(records.RecordOperations("Products").create_records(_body(_record(Product_Name="离心泵")), HeaderMap()))
    product = records.LineItemProduct()
    product.set_id(int(pump))
    orders = records.RecordOperations("Sales_Orders")
    line = _record(Product_Name=product, Quantity=3.0, List_Price=10.5, Hub_Line="L1")
    response = orders.create_records(_body(_record(Subject="SO-1", Account_Name=_record(id=account), Ordered_Items=[line])), HeaderMap())

    (key,) = _created(response)
    found = orders.get_record(int(key), ParameterMap(), HeaderMap()).get_object().get_data()[0]
    (row,) = found.get_key_value("Ordered_Items")
    assert found.get_key_value("Grand_Total") == 31.5
    assert found.get_key_value("Account_Name").get_key_value("name") == "华南"
    assert (row.get_key_value("Hub_Line"), row.get_key_value("Total")) == ("L1", 31.5)


def test_the_sdk_deletes_and_lists_what_was_deleted(sdk: Zoho) -> None:
    accounts = records.RecordOperations("Accounts")
    kept, gone = _created(accounts.create_records(_body(_record(Account_Name="留下"), _record(Account_Name="删除")), HeaderMap()))
    params = ParameterMap()
    params.add(records.DeleteRecordsParam.ids, gone)
    assert accounts.delete_records(params, HeaderMap()).get_status_code() == 200

    params = ParameterMap()
    params.add(records.GetDeletedRecordsParam.type, "all")
    (entry,) = accounts.get_deleted_records(params, HeaderMap()).get_object().get_data()
    assert (str(entry.get_id()), entry.get_display_name(), entry.get_type()) == (gone, "删除", "recycle")
    assert accounts.get_record(int(gone), ParameterMap(), HeaderMap()).get_status_code() == 204
    assert accounts.get_record(int(kept), ParameterMap(), HeaderMap()).get_status_code() == 200


def test_the_sdk_asks_by_coql_and_understands_a_refusal(sdk: Zoho) -> None:
    records.RecordOperations("Accounts").create_records(_body(_record(Account_Name="华南", Hub_Key="A1")), HeaderMap())
    query = coql.BodyWrapper()
    query.set_select_query("select Account_Name, Hub_Key from Accounts where Hub_Key in ('A1', 'A2') limit 10")
    found = coql.CoqlOperations().get_records(query).get_object()
    query.set_select_query("select Nonsense from Accounts where id > '0'")
    refused = coql.CoqlOperations().get_records(query)

    assert [row.get_key_value("Account_Name") for row in found.get_data()] == ["华南"]
    assert found.get_info().get_more_records() is False
    assert refused.get_status_code() == 400
    assert isinstance(refused.get_object(), coql.APIException)
    assert refused.get_object().get_code().get_value() == "INVALID_QUERY"


def test_the_sdk_searches(sdk: Zoho) -> None:
    records.RecordOperations("Contacts").create_records(
        _body(_record(Last_Name="李", First_Name="雷", Email="lilei@example.com")), HeaderMap()
    )
    params = ParameterMap()
    params.add(records.SearchRecordsParam.email, "lilei@example.com")
    found = records.RecordOperations("Contacts").search_records(params, HeaderMap()).get_object().get_data()

    assert [row.get_key_value("Full_Name") for row in found] == ["雷 李"]


def test_the_sdk_runs_a_bulk_read_to_its_csv(sdk: Zoho, tmp_path: Path) -> None:
    records.RecordOperations("Accounts").create_records(_body(*(_record(Account_Name=f"客户{n}") for n in range(3))), HeaderMap())
    query, module, body = bulk_read.Query(), modules.MinifiedModule(), bulk_read.BodyWrapper()
    module.set_api_name("Accounts")
    query.set_module(module)
    query.set_fields(["Account_Name", "Modified_Time"])
    body.set_query(query)
    operations = bulk_read.BulkReadOperations()
    started = operations.create_bulk_read_job(body)
    assert started.get_status_code() == 201
    job = started.get_object().get_data()[0].get_details()["id"]
    states, count = [], 0
    while "COMPLETED" not in states:
        detail = operations.get_bulk_read_job_details(int(job)).get_object().get_data()[0]
        states.append(detail.get_state().get_value())
        count = detail.get_result().get_count() if detail.get_result() is not None else 0
    stream = operations.download_result(int(job)).get_object().get_file()
    (tmp_path / "result.zip").write_bytes(b"".join(stream.get_stream()))

    with zipfile.ZipFile(tmp_path / "result.zip") as archive:
        (name,) = archive.namelist()
        text = archive.read(name).decode()
    assert states[-1] == "COMPLETED"
    assert count == 3
    assert text.splitlines()[0] == "Id,Account_Name,Modified_Time"
    assert [line.split(",")[1] for line in text.splitlines()[1:]] == ["客户0", "客户1", "客户2"]


def test_the_sdk_subscribes_renews_and_ends_a_channel(sdk: Zoho) -> None:
    channel, body = notifications.Notification(), notifications.BodyWrapper()
    channel.set_channel_id("1000000068001")
    channel.set_events(["Deals.all", "Accounts.edit"])
    channel.set_channel_expiry(datetime.now(UTC) + timedelta(days=1))
    channel.set_token("geheim")
    channel.set_notify_url("http://127.0.0.1:9/hook")
    body.set_watch([channel])
    operations = notifications.NotificationsOperations()
    enabled = operations.enable_notifications(body)
    listed = operations.get_notifications(ParameterMap()).get_object().get_watch()
    params = ParameterMap()
    params.add(notifications.DeleteNotificationParam.channel_ids, "1000000068001")
    ended = operations.delete_notification(params)

    assert enabled.get_status_code() == 201
    assert enabled.get_object().get_watch()[0].get_code().get_value() == "SUCCESS"
    assert sorted(row.get_resource_name() for row in listed) == ["Accounts", "Deals"]
    assert ended.get_status_code() == 200
    assert operations.get_notifications(ParameterMap()).get_status_code() == 204


def test_the_sdk_takes_a_transition_of_a_blueprint(sdk: Zoho) -> None:
    deals = records.RecordOperations("Deals")
    (key,) = _created(
        deals.create_records(_body(_record(Deal_Name="华南项目", Stage=Choice("Qualification"), Pipeline=Choice("渠道项目"))), HeaderMap())
    )
    operations = blueprints.BlueprintOperations(key, "Deals")
    found = operations.get_blueprint().get_object().get_blueprint()
    step = next(row for row in found.get_transitions() if row.get_next_field_value() == "Needs Analysis")
    taken, body = blueprints.BluePrint(), blueprints.BodyWrapper()
    taken.set_transition_id(str(step.get_id()))
    taken.set_data(_record())
    body.set_blueprint([taken])
    moved = operations.update_blueprint(body)

    assert found.get_process_info().get_api_name() == "Stage"
    assert moved.get_status_code() == 200
    assert moved.get_object().get_code().get_value() == "SUCCESS"
    assert sdk.one("Deals", key)["Stage"] == "Needs Analysis"


def test_the_sdk_puts_prices_into_a_book_reads_them_and_takes_one_out(sdk: Zoho) -> None:
    keys = _created(
        records.RecordOperations("Products").create_records(_body(_record(Product_Name="甲"), _record(Product_Name="乙")), HeaderMap())
    )
    (book,) = _created(records.RecordOperations("Price_Books").create_records(_body(_record(Price_Book_Name="代理价")), HeaderMap()))
    prices, body, asked, gone = (
        related.RelatedRecordsOperations("Products", "Price_Books"),
        related.BodyWrapper(),
        ParameterMap(),
        ParameterMap(),
    )
    body.set_data([_record(id=key, list_price=12.55) for key in keys])
    asked.add(related.GetRelatedRecordsParam.fields, "Product_Name,list_price")
    gone.add(related.DelinkRecordsParam.ids, keys[1])

    put = prices.update_related_records(int(book), body, HeaderMap())
    delinked = prices.delink_records(int(book), gone, HeaderMap())
    rows = prices.get_related_records(int(book), asked, HeaderMap()).get_object().get_data()

    assert [entry.get_code().get_value() for entry in put.get_object().get_data()] == ["SUCCESS"] * 2
    assert delinked.get_object().get_data()[0].get_code().get_value() == "SUCCESS"
    assert [(str(row.get_id()), row.get_key_value("list_price")) for row in rows] == [(keys[0], 12.55)]


def test_the_sdk_reads_the_metadata(sdk: Zoho) -> None:
    found = modules.ModulesOperations().get_modules(ParameterMap(), HeaderMap()).get_object().get_modules()
    organisation = org.OrgOperations().get_organization().get_object().get_org()[0]
    people = users.UsersOperations().get_users(ParameterMap(), HeaderMap()).get_object().get_users()

    kinds = {row.get_api_name(): row.get_generated_type().get_value() for row in found}
    assert kinds["Accounts"] == "default"
    assert kinds["Shipments"] == "custom"
    assert organisation.get_time_zone() is not None
    assert len(people) == 2


def test_the_sdk_is_told_of_a_dead_token_in_the_vendors_words(sdk: Zoho) -> None:
    accounts = records.RecordOperations("Accounts")
    accounts.create_records(_body(_record(Account_Name="华南")), HeaderMap())
    sdk.fault("expire_session", times=1)
    refused = accounts.get_records(_params(fields="id"), HeaderMap())

    assert refused.get_status_code() == 401
    assert refused.get_object().get_code().get_value() == "INVALID_TOKEN"

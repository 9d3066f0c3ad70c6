"""What the people of the sandbox ask about: businesses with their tables, measures and dimensions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

_COLUMN = re.compile(r"\b[a-z][a-z_]*\b")  # functions and keywords are spelled in capitals


@dataclass(frozen=True)
class Measure:
    """A number that people ask for."""

    label: str
    expression: str

    @cached_property
    def alias(self) -> str:
        """Its column name in a result."""
        return self.label.lower().replace(" ", "_").replace("-", "_")


@dataclass(frozen=True)
class Dimension:
    """Something to break a number down by."""

    label: str
    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Business:
    """A line of business: one fact table, one table that it joins, and what to ask about them."""

    title: str
    description: str
    schema: str
    fact: str
    day_column: str
    lookup: str
    lookup_key: str
    measures: tuple[Measure, ...]
    dimensions: tuple[Dimension, ...]

    @property
    def fact_table(self) -> str:
        """Full name of the fact table."""
        return f"{self.schema}.{self.fact}"

    @property
    def lookup_table(self) -> str:
        """Full name of the table that the fact table joins."""
        return f"{self.schema}.{self.lookup}"

    @cached_property
    def fact_columns(self) -> tuple[str, ...]:
        """Columns of the fact table, sorted."""
        columns = {self.day_column, self.lookup_key}
        columns.update(dimension.column for dimension in self.dimensions)
        for measure in self.measures:
            columns.update(_COLUMN.findall(measure.expression))
        return tuple(sorted(columns))


def _business(
    title: str,
    description: str,
    fact: str,
    day_column: str,
    lookup: str,
    measures: Mapping[str, str],
    dimensions: Mapping[str, str],
) -> Business:
    """`fact` and `lookup` are "catalog.schema.table" and "table/key"; a dimension is "column: value, value"."""
    schema, _, table = fact.rpartition(".")
    lookup_table, _, lookup_key = lookup.partition("/")
    parsed = []
    for label, definition in dimensions.items():
        column, _, values = definition.partition(": ")
        parsed.append(Dimension(label, column, tuple(value.strip() for value in values.split(","))))
    return Business(
        title=title,
        description=description,
        schema=schema,
        fact=table,
        day_column=day_column,
        lookup=lookup_table,
        lookup_key=lookup_key,
        measures=tuple(Measure(label, expression) for label, expression in measures.items()),
        dimensions=tuple(parsed),
    )


BUSINESSES: tuple[Business, ...] = (
    _business(
        "Retail sales",
        "Orders, refunds and baskets of all shops and the web store.",
        "retail.sales.orders",
        "ordered_on",
        "stores/store_id",
        {
            "revenue": "SUM(net_amount)",
            "number of orders": "COUNT(DISTINCT order_id)",
            "average basket": "AVG(net_amount)",
            "refund rate": "AVG(IF(is_refunded, 1.0, 0.0))",
        },
        {
            "region": "region: North, South, East, West, Online",
            "category": "category: Garden, Toys, Kitchen, Sport, Books, Shoes",
            "channel": "channel: shop, web, app, phone",
        },
    ),
    _business(
        "Parcel logistics",
        "Shipments from depot to door, with delays and damages.",
        "logistics.core.shipments",
        "shipped_on",
        "depots/depot_id",
        {
            "parcels shipped": "COUNT(*)",
            "on-time share": "AVG(IF(delivered_at <= promised_at, 1.0, 0.0))",
            "average transit hours": "AVG(transit_hours)",
            "damaged parcels": "SUM(CAST(is_damaged AS INT))",
        },
        {
            "depot": "depot_name: Rotterdam, Hamburg, Lyon, Łódź, Bilbao, Malmö",
            "carrier": "carrier: own fleet, partner A, partner B, bike courier",
            "service": "service_level: standard, express, same day, freight",
        },
    ),
    _business(
        "Hospital operations",
        "Beds, admissions and waiting times of the clinics. No patient names.",
        "health.ops.admissions",
        "admitted_on",
        "wards/ward_id",
        {
            "admissions": "COUNT(*)",
            "average length of stay": "AVG(stay_days)",
            "waiting minutes": "AVG(waiting_minutes)",
            "readmission rate": "AVG(IF(is_readmission, 1.0, 0.0))",
        },
        {
            "ward": "ward_name: Cardiology, Surgery, Paediatrics, Oncology, Emergency",
            "clinic": "clinic: St. Anna, City Hospital, Lakeside",
            "urgency": "triage_level: red, orange, yellow, green, blue",
        },
    ),
    _business(
        "Retail banking",
        "Accounts, card payments and loans, aggregated per branch.",
        "bank.payments.card_transactions",
        "booked_on",
        "branches/branch_id",
        {
            "payment volume": "SUM(amount_eur)",
            "number of payments": "COUNT(*)",
            "declined share": "AVG(IF(is_declined, 1.0, 0.0))",
            "fraud losses": "SUM(fraud_amount_eur)",
        },
        {
            "branch": "branch_name: Zürich, Genève, Basel, Lugano, Bern",
            "card type": "card_type: debit, credit, prepaid, corporate",
            "merchant group": "merchant_group: travel, food, fuel, electronics, cash",
        },
    ),
    _business(
        "Energy grid",
        "Production and consumption per plant, grid area and hour.",
        "energy.grid.meter_hours",
        "metered_on",
        "plants/plant_id",
        {
            "energy produced": "SUM(produced_mwh)",
            "energy consumed": "SUM(consumed_mwh)",
            "outage minutes": "SUM(outage_minutes)",
            "average price": "AVG(price_eur_mwh)",
        },
        {
            "source": "energy_source: wind, solar, hydro, gas, nuclear",
            "grid area": "grid_area: NO1, NO2, SE3, DK1, FI",
            "plant": "plant_name: Blåfjell, Sundby, Kaskö, Ørsted 4",
        },
    ),
    _business(
        "People analytics",
        "Headcount, hiring and absence. Groups smaller than five are hidden.",
        "hr.analytics.employee_days",
        "snapshot_day",
        "departments/department_id",
        {
            "headcount": "COUNT(DISTINCT employee_key)",
            "absence rate": "AVG(IF(is_absent, 1.0, 0.0))",
            "new hires": "SUM(CAST(is_hire AS INT))",
            "leavers": "SUM(CAST(is_leaver AS INT))",
        },
        {
            "department": "department: Finance, Engineering, Sales, Support, Legal",
            "country": "country: DE, FR, PL, IN, BR, JP",
            "contract": "contract_type: permanent, fixed term, intern, agency",
        },
    ),
    _business(
        "Game telemetry",
        "Sessions, purchases and levels of our mobile games.",
        "games.telemetry.sessions",
        "session_day",
        "titles/title_id",
        {
            "daily active players": "COUNT(DISTINCT player_id)",
            "average session minutes": "AVG(session_minutes)",
            "in-app revenue": "SUM(purchase_usd)",
            "crash rate": "AVG(IF(has_crashed, 1.0, 0.0))",
        },
        {
            "game": "title_name: Sky Miners, Puzzle Keep, Kart Heroes 2, 龍の塔",
            "platform": "platform: iOS, Android, Switch, PC",
            "country": "player_country: US, JP, BR, KR, DE",
        },
    ),
    _business(
        "Mobile network",
        "Traffic, dropped calls and churn of the telco.",
        "telco.network.cell_hours",
        "measured_on",
        "cells/cell_id",
        {
            "data traffic": "SUM(traffic_gb)",
            "dropped call rate": "SUM(dropped_calls) / SUM(calls)",
            "average throughput": "AVG(throughput_mbps)",
            "congested cells": "COUNT(DISTINCT IF(utilisation > 0.9, cell_id, NULL))",
        },
        {
            "technology": "technology: 2G, 4G, 5G, 5G SA",
            "area": "area: Lisboa, Porto, Faro, Coimbra, Açores",
            "vendor": "vendor: vendor N, vendor E, vendor H",
        },
    ),
    _business(
        "Hotel revenue",
        "Bookings, occupancy and rates of the hotel group.",
        "hotels.revenue.room_nights",
        "stay_date",
        "properties/property_id",
        {
            "occupancy": "SUM(rooms_sold) / SUM(rooms_available)",
            "average daily rate": "SUM(room_revenue) / SUM(rooms_sold)",
            "room revenue": "SUM(room_revenue)",
            "cancellations": "SUM(cancelled_rooms)",
        },
        {
            "hotel": "property_name: Grand Riad, Alpenhof, Bay Tower, Casa Azul",
            "booking channel": "booking_channel: direct, agency, corporate, group",
            "room type": "room_type: single, double, suite, family",
        },
    ),
    _business(
        "Insurance claims",
        "Claims from first notice to payment.",
        "insurance.claims.claims",
        "reported_on",
        "policies/policy_id",
        {
            "number of claims": "COUNT(*)",
            "paid amount": "SUM(paid_amount)",
            "average days to close": "AVG(days_to_close)",
            "loss ratio": "SUM(paid_amount) / SUM(earned_premium)",
        },
        {
            "line": "line_of_business: motor, home, travel, liability, pet",
            "cause": "loss_cause: water, theft, storm, collision, fire",
            "state": "claim_state: open, closed, disputed, reopened",
        },
    ),
    _business(
        "Factory quality",
        "Output, scrap and downtime per line and shift.",
        "factory.quality.line_shifts",
        "produced_on",
        "machines/machine_id",
        {
            "pieces produced": "SUM(pieces)",
            "scrap rate": "SUM(scrap_pieces) / SUM(pieces)",
            "downtime minutes": "SUM(downtime_minutes)",
            "overall equipment effectiveness": "AVG(oee)",
        },
        {
            "line": "line_name: Line 1, Line 2, Line 3, Paint shop",
            "shift": "shift: early, late, night",
            "product": "product_family: pumps, valves, seals, drives",
        },
    ),
    _business(
        "University admissions",
        "Applications, enrolments and exam results.",
        "university.students.applications",
        "applied_on",
        "programmes/programme_id",
        {
            "applications": "COUNT(*)",
            "acceptance rate": "AVG(IF(is_accepted, 1.0, 0.0))",
            "enrolled students": "SUM(CAST(is_enrolled AS INT))",
            "average grade": "AVG(entry_grade)",
        },
        {
            "faculty": "faculty: Law, Medicine, Physics, Arts, Economics",
            "degree": "degree: BSc, MSc, PhD",
            "origin": "applicant_origin: domestic, EU, overseas",
        },
    ),
    _business(
        "Airline operations",
        "Flights, punctuality and load factors.",
        "airline.ops.flights",
        "departed_on",
        "aircraft/tail_number",
        {
            "flights": "COUNT(*)",
            "load factor": "SUM(passengers) / SUM(seats)",
            "average delay minutes": "AVG(delay_minutes)",
            "cancelled flights": "SUM(CAST(is_cancelled AS INT))",
        },
        {
            "route": "route: CDG-JFK, CDG-NRT, ORY-NCE, LYS-LHR, CDG-GRU",
            "aircraft type": "aircraft_type: A220, A320, A350, 777",
            "delay reason": "delay_reason: weather, crew, technical, airport, late arrival",
        },
    ),
    _business(
        "Streaming media",
        "Plays, subscribers and advertising of the video service.",
        "media.streaming.plays",
        "played_on",
        "shows/show_id",
        {
            "hours watched": "SUM(watched_minutes) / 60",
            "active subscribers": "COUNT(DISTINCT subscriber_id)",
            "completion rate": "AVG(completion)",
            "ad revenue": "SUM(ad_revenue_eur)",
        },
        {
            "show": "show_name: Harbour Lights, El Faro, Night Shift, Бриз",
            "device": "device: TV, phone, tablet, browser",
            "plan": "subscription_plan: free, basic, family, premium",
        },
    ),
    _business(
        "Pharmacy supply",
        "Stock, orders and expiry of medicines.",
        "pharma.supply.stock_days",
        "stock_day",
        "products/product_id",
        {
            "units in stock": "SUM(units)",
            "expired units": "SUM(expired_units)",
            "stock-outs": "SUM(CAST(is_stock_out AS INT))",
            "order value": "SUM(order_value_eur)",
        },
        {
            "warehouse": "site: Leipzig, Porto, Kraków, Cork",
            "product group": "product_group: vaccines, generics, insulin, oncology",
            "supplier": "supplier: supplier 1, supplier 2, supplier 3",
        },
    ),
    _business(
        "City transport",
        "Trips, tickets and punctuality of buses and trams.",
        "city.transport.trips",
        "service_day",
        "vehicles/vehicle_id",
        {
            "passengers": "SUM(boardings)",
            "punctuality": "AVG(IF(delay_seconds < 180, 1.0, 0.0))",
            "cancelled trips": "SUM(CAST(is_cancelled AS INT))",
            "ticket income": "SUM(ticket_income)",
        },
        {
            "line": "line_code: 1, 4, 17, N8, X90",
            "mode": "mode: bus, tram, ferry, night bus",
            "district": "district: Old Town, Harbour, Airport, Hills",
        },
    ),
)

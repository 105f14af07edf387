"""Real data to try things on, shipped with the package."""

from __future__ import annotations

from pathlib import Path


def flights() -> Path:
    """The path of a Parquet file: all 336,776 flights that left New York City (EWR, JFK, LGA) in 2013.

    dep_delay, arr_delay   minutes late (early is negative); 8,255 and 9,430 nulls: cancelled or diverted
    air_time               minutes in the air; 9,430 nulls
    distance               miles
    hour, month            of the scheduled departure
    carrier, origin        text

    Source: the R package nycflights13 (US Bureau of Transportation Statistics), CC0.
    """
    return Path(__file__).with_name("flights.parquet")

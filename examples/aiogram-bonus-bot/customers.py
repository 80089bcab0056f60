"""Who the customers are and how many bonuses they have, in one SQLite file.

The calls are short and local, so they run on the event loop without a thread.
"""

import sqlite3
from dataclasses import dataclass

WELCOME_BONUS = 100


@dataclass(frozen=True)
class Customer:
    user_id: int
    name: str
    phone: str
    balance: int


class Customers:
    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)  # every statement commits
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS customers ("
            " user_id INTEGER PRIMARY KEY,"
            " name TEXT NOT NULL,"
            " phone TEXT NOT NULL,"
            " source TEXT NOT NULL,"
            " balance INTEGER NOT NULL)"
        )

    def close(self) -> None:
        self._db.close()

    def find(self, user_id: int) -> Customer | None:
        row = self._db.execute(
            "SELECT user_id, name, phone, balance FROM customers WHERE user_id = ?", (user_id,)
        ).fetchone()
        return Customer(*row) if row else None

    def register(self, user_id: int, name: str, phone: str, source: str) -> Customer:
        """Registers once; who comes again keeps his bonuses and gets the new name and phone."""
        self._db.execute(
            "INSERT INTO customers (user_id, name, phone, source, balance) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, phone = excluded.phone",
            (user_id, name, phone, source, WELCOME_BONUS),
        )
        return self.find(user_id)

    def add_bonuses(self, user_id: int, amount: int) -> int:
        """Gives the new balance."""
        self._db.execute("UPDATE customers SET balance = balance + ? WHERE user_id = ?", (amount, user_id))
        return self.find(user_id).balance

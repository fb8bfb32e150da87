"""Our own side: legal entities and their organisations, departments, people."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from canonical.base import Aggregate, Part
from canonical.values import CompanyRef, Day, DepartmentRef, EmployeeRef, Personal


class Company(Aggregate):
    """One of our legal entities, or a sales, stock or settlement organisation of one."""

    entity: ClassVar[str] = "company"
    title: ClassVar[str] = "公司 Company"

    name: str = Field(default="", description="Name of the legal entity or organisation.")
    uscc: str = Field(default="", description="统一社会信用代码, 18 characters (GB 32100).")
    kinds: list[str] = Field(default_factory=list, description="legal, sales, stock, settlement, credit: what it acts as.")
    currency: str = Field(default="", description="ISO 4217 code of its books.")
    parent: CompanyRef | None = Field(default=None, description="The company it belongs to.")
    status: str = Field(default="active", description="active or blocked.")


class Department(Aggregate):
    """A department of a company."""

    entity: ClassVar[str] = "department"
    title: ClassVar[str] = "部门 Department"

    name: str = Field(default="", description="Name of the department.")
    company: CompanyRef | None = Field(default=None, description="The company it belongs to.")
    parent: DepartmentRef | None = Field(default=None, description="The department above it.")
    status: str = Field(default="active", description="active or blocked.")


class Assignment(Part):
    """A post that an employee holds."""

    company: CompanyRef | None = Field(default=None, description="Where the post is.")
    department: DepartmentRef | None = Field(default=None, description="Department of the post.")
    post: str = Field(default="", description="Name of the post.")
    valid_from: Day | None = Field(default=None, description="First day.")
    valid_to: Day | None = Field(default=None, description="Last day, inclusive.")


class Employee(Aggregate):
    """A person who works for us."""

    entity: ClassVar[str] = "employee"
    title: ClassVar[str] = "员工 Employee"

    name: Annotated[str, Personal] = Field(default="", description="Full name.")
    mobile: Annotated[str, Personal] = Field(default="", description="Mobile number.")
    email: Annotated[str, Personal] = Field(default="", description="E-mail address.")
    manager: EmployeeRef | None = Field(default=None, description="Direct superior.")
    status: str = Field(default="active", description="active, left or blocked.")
    assignments: list[Assignment] = Field(default_factory=list, description="Posts held.")

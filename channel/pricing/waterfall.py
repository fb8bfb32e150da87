"""The rungs between base and net: at each one the adjustments that hold, in their order, over all lines of the cart."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from canonical.rounding import allocate, half_up
from channel.pricing import contests
from channel.pricing.adjustments import Exclusion
from channel.pricing.asking import Manual
from channel.pricing.compiled import Rule
from channel.pricing.effects import OPERATION, Effect, Measured, effect, out_of_bounds, reference, unmet
from channel.pricing.gifts import given
from channel.pricing.model import Item
from channel.pricing.result import Charge, Gift, Refusal, Step, Tried
from channel.pricing.state import Question, State, said

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
HUNDRED: Final = Decimal(100)
NOTHING: Final = ("", "")


class Waterfall:
    """One cart on its way down. Made, run, read once."""

    def __init__(self, question: Question, states: Sequence[State], cart: dict[str, Decimal]) -> None:
        self.question, self.states, self.cart = question, states, cart
        self.places = question.prices.places(question.currency)
        self.sums: dict[tuple[int, str], Measured] = {}
        """Of this rung, by rule and what it measures over."""
        self.charges: list[Charge] = []
        self.gifts: list[Gift] = []
        self.within: dict[str, Decimal] = {}
        """By rule, how many of what is ordered are still to be free."""
        self.refusal: Refusal | None = None
        self.candidates: list[dict[str, list[Rule]]] = [self._candidates(state) for state in states]
        """For each line its rules by rung, in their order."""
        self.lost: list[contests.Lost] = [{} for _ in states]
        self.contested: list[list[tuple[Exclusion | None, list[Rule]]]] = [self._contests(of_line) for of_line in self.candidates]
        self.order_rules = self._order_rules()

    def run(self) -> None:
        """All rungs, in the order that the rules say."""
        for rung in self.question.prices.settings.waterfall:
            self.sums.clear()
            for state in self.states:
                state.rung_total = state.total
            busy = False
            for at, state in enumerate(self.states):
                if rung in self.candidates[at]:
                    busy = True
                    self._line(rung, at, state)
            if self.order_rules:
                self._order(rung)
            if rung == "manual":
                self._manual()
            if busy and self.question.prices.settings.round_each_rung:
                self._round_units(rung)

    def _candidates(self, state: State) -> dict[str, list[Rule]]:
        found: dict[str, list[Rule]] = {}
        facts, open_to_all = self.question.facts(state), not state.final
        for rule in self.question.prices.rules_for(state.item.id, state.item.line, self.question.ask.dealer):
            reason, detail = NOTHING if rule.always and open_to_all else unmet(self.question, state, rule, facts)
            if reason:
                self._tried(state, rule, reason, detail)
            else:
                found.setdefault(rule.spec.rung, []).append(rule)
        return found

    def _contests(self, of_line: dict[str, list[Rule]]) -> list[tuple[Exclusion | None, list[Rule]]]:
        """Exclusions and groups in which rules of a line may beat each other; members in the order of rungs and of themselves."""
        if not self.question.prices.contests:
            return []
        every = [rule for rung in self.question.prices.settings.waterfall for rule in of_line.get(rung, ()) if rule.spec.free is None]
        if len(every) < 2:
            return []
        excluding = ((one, [rule for rule in every if rule.group in one.groups]) for one in self.question.prices.rules.exclusions)
        found: list[tuple[Exclusion | None, list[Rule]]] = [(one, members) for one, members in excluding if len(members) > 1]
        groups: dict[str, list[Rule]] = {}
        for rule in every:
            groups.setdefault(rule.group, []).append(rule)
        found += [(None, some) for some in groups.values() if len(some) > 1 and any(one.spec.mode in ("exclusive", "best") for one in some)]
        return found

    @staticmethod
    def _tried(state: State, rule: Rule, reason: str, detail: str) -> None:
        spec = rule.spec
        others = rule.about_others and detail in ("dealer", "grade", "channel", "customer", "project")
        state.tried.append(Tried(spec.rung, spec.id, spec.version, reason, detail, others))

    # A line ----------------------------------------------------------------------------------------------------------------

    def _line(self, rung: str, at: int, state: State) -> None:
        if self.contested[at]:
            self._settle(rung, at, state)
        for rule in self.candidates[at][rung]:
            reason, detail = self.lost[at].get(rule.at, ("", ""))
            if rule.plain and not reason:
                self._percent(state, rule)
                continue
            measured = self._measured(rule, at)
            if not reason and rule.bounded:
                reason, detail = out_of_bounds(self.question, rule, measured, self.cart)
            if reason:
                self._tried(state, rule, reason, detail)
            elif rule.spec.free is not None:
                self._give(state, rule, measured)
            else:
                made = effect(self.question, state, rule, state.total, measured)
                if rule.spec.only_if_lower and made.total >= state.total:
                    self._tried(state, rule, "not_lower", "")
                elif (rule.spec.only_if_higher or rule.spec.at_least is not None) and made.total <= state.total:
                    self._tried(state, rule, "not_higher", "")
                else:
                    self._apply(state, rule, made)

    @staticmethod
    def _percent(state: State, rule: Rule) -> None:
        """The usual rule, the short way."""
        spec, before = rule.spec, state.total
        after = before + reference(state, rule.of, before) * (rule.fraction or ZERO)
        state.steps.append(Step(spec.rung, spec.id, spec.version, OPERATION[rule.of], rule.told, before, after, "", spec.name))
        state.total = after

    def _apply(self, state: State, rule: Rule, made: Effect) -> None:
        spec = rule.spec
        state.steps.append(
            Step(spec.rung, spec.id, spec.version, made.operation, made.value, state.total, made.total, made.rounding, spec.name)
        )  # fmt: skip
        state.total = made.total
        state.by_unit = (state.by_unit or made.operation.endswith("fixed_price")) and made.by_unit

    def _measured(self, rule: Rule, at: int) -> Measured:
        over = "group" if rule.spec.scope == "group" else rule.steps.over if rule.steps else "line"
        if over == "line":
            return Measured([self.states[at]])
        item = self.states[at].item
        key = (rule.at, item.id if over == "item" else item.line if over == "product_line" else "")
        found = self.sums.get(key)
        if found is None:
            found = self.sums[key] = self._together(rule, over, item)
        return found

    def _together(self, rule: Rule, over: str, item: Item) -> Measured:
        together = [
            state
            for other, state in enumerate(self.states)
            if (over == "group" and rule in self.candidates[other].get(rule.spec.rung, ()))
            or over == "order"
            or (over == "item" and state.item.id == item.id)
            or (over == "product_line" and state.item.line == item.line)
        ]
        return Measured(together)

    def _settle(self, rung: str, at: int, state: State) -> None:
        """Decide the contests whose first rung this is, for a line."""
        lost = self.lost[at]

        def run(rules: Sequence[Rule]) -> Decimal:
            total = state.total
            for rule in rules:
                total = effect(self.question, state, rule, total, self._measured(rule, at)).total
            return total

        for exclusion, members in self.contested[at]:
            if members[0].spec.rung != rung:
                continue
            left = [rule for rule in members if rule.at not in lost]
            holding = [rule for rule in left if not out_of_bounds(self.question, rule, self._measured(rule, at), self.cart)[0]]
            lost.update(contests.inside(holding, run) if exclusion is None else contests.between(exclusion, holding, run))

    def _give(self, state: State, rule: Rule, measured: Measured) -> None:
        """赠品: on top of the order, or part of it. Of a group they are given once; its lines of that item have them in their order."""
        free, spec = rule.spec.free, rule.spec
        assert free is not None  # noqa: S101  the caller looked
        gift = next((one for one in self.gifts if one.rule == spec.id), None) if spec.scope == "group" else None
        if gift is None:
            item = free.item or state.item.id
            count = given(free, measured.quantity)
            ordered = sum((one.quantity for one in measured.states if one.item.id == item), ZERO)
            if count <= 0:
                self._tried(state, rule, "below_scale", f"for each {free.for_each}")
                return
            if free.within and not ordered:
                self._tried(state, rule, "requirement_failed", f"no {item} is ordered")
                return
            count = min(count, ordered) if free.within else count
            gift = Gift(spec.id, spec.version, state.id, item, count, self.question.prices.items[item].unit, free.within)
            self.gifts.append(gift)
            self.within[spec.id] = count if free.within else ZERO
        count = min(self.within[spec.id], state.quantity) if state.item.id == gift.item else ZERO
        if count:
            self.within[spec.id] -= count
            left = state.total - state.total * count / state.quantity
            self._apply(state, rule, Effect(left, False, "free", f"{count} of {state.quantity}"))

    # The manual rung ----------------------------------------------------------------------------------------------------------

    def _manual(self) -> None:
        for state in self.states:
            manual = state.ask.manual
            if manual is not None:
                total, by_unit, operation, value = self._by_hand(state, manual)
                state.steps.append(
                    Step("manual", f"manual/{manual.reason}", "1", operation, value, state.total, total, "", manual.text, manual.by)
                )  # fmt: skip
                state.total = total
                state.by_unit = by_unit
        manual = self.question.ask.manual
        if manual is not None and self.states:
            whole = self._in_money("manual")
            if whole is None:
                return
            off = manual.amount if manual.amount is not None else whole * (manual.percent or ZERO) / HUNDRED
            self._share(self.states, "manual", f"manual/{manual.reason}", "1", -half_up(off, self.places), manual.text, manual.by)

    @staticmethod
    def _by_hand(state: State, manual: Manual) -> tuple[Decimal, bool, str, str]:
        if manual.price is not None:
            return manual.price * state.ask.quantity, True, "fixed_price", str(manual.price)
        if manual.percent is not None:
            return state.total - state.total * manual.percent / HUNDRED, state.by_unit, "percent_of_running", f"-{manual.percent}%"
        off = manual.amount or ZERO
        return state.total - off * state.ask.quantity, state.by_unit, "amount", f"-{off}"

    # The whole order -------------------------------------------------------------------------------------------------------------

    def _order_rules(self) -> list[tuple[Rule, list[State]]]:
        found = []
        for rule in self.question.prices.of_order:
            lines, misses = [], []
            for state in self.states:
                reason, detail = unmet(self.question, state, rule, self.question.facts(state))
                if reason:
                    misses.append((state, reason, detail))
                else:
                    lines.append(state)
            if lines:
                found.append((rule, lines))
            else:
                for state, reason, detail in misses:
                    self._tried(state, rule, reason, detail)
        return sorted(found, key=lambda one: one[0].ranks)

    def _order(self, rung: str) -> None:
        holding = []
        for rule, lines in self.order_rules:
            if rule.spec.rung != rung:
                continue
            measured = Measured(lines)
            reason, detail = out_of_bounds(self.question, rule, measured, self.cart)
            if reason:
                for state in lines:
                    self._tried(state, rule, reason, detail)
            else:
                holding.append((rule, lines, measured))
        if not holding:
            return
        lost = self._used_before(holding)
        left = [(rule, lines, measured) for rule, lines, measured in holding if rule.at not in lost]
        lost |= self._order_lost([rule for rule, _, _ in left], {rule.at: (lines, measured) for rule, lines, measured in left})
        for rule, lines, measured in holding:
            if rule.at in lost:
                for state in lines:
                    self._tried(state, rule, *lost[rule.at])
            else:
                self._order_rule(rule, lines, measured)

    def _used_before(self, holding: Sequence[tuple[Rule, list[State], Measured]]) -> contests.Lost:
        """Order rules that an exclusion keeps out, because a rule of its first group was used on one of their lines or beside them."""
        lost: contests.Lost = {}
        charged = {one.rule for one in self.charges}
        for exclusion, first in self.question.prices.excluding:
            for rule, lines, _ in holding:
                if rule.group in exclusion.groups[1:] and rule.spec.id not in first:
                    used = charged.union(*({step.rule for step in state.steps} for state in lines))
                    if used & first:
                        lost[rule.at] = ("excluded", f"by exclusion {exclusion.id}")
        return lost

    def _order_lost(self, rules: list[Rule], of: dict[int, tuple[list[State], Measured]]) -> contests.Lost:
        whole = sum((state.total for state in self.states), ZERO)

        def run(chain: Sequence[Rule]) -> Decimal:
            total = whole
            for rule in chain:
                total += self._order_amount(rule, *of[rule.at], total - whole)
            return total

        lost: contests.Lost = {}
        for exclusion in self.question.prices.rules.exclusions:
            lost |= contests.between(exclusion, [rule for rule in rules if rule.at not in lost], run)
        for group in {rule.group: None for rule in rules}:
            lost |= contests.inside([rule for rule in rules if rule.group == group and rule.at not in lost], run)
        return lost

    def _order_amount(self, rule: Rule, lines: list[State], measured: Measured, so_far: Decimal = ZERO) -> Decimal:
        """What a rule adds to these lines together; below zero for a discount. `so_far`: what others took off in a contest."""
        whole = State(lines[0].ask, lines[0].item, lines[0].factor, lines[0].tax_rate)
        minimum = rule.spec.at_least is not None  # of what the lines will say, to the last fen
        total = sum(self._said(lines) if minimum else (state.total for state in lines), so_far)
        whole.base_total = sum((state.base_total for state in lines), ZERO)
        whole.list_total = sum((state.list_total for state in lines), ZERO)
        whole.rung_total = sum((state.rung_total for state in lines), ZERO)
        whole.quantity = measured.quantity
        return effect(self.question, whole, rule, total, measured).total - total

    def _order_rule(self, rule: Rule, lines: list[State], measured: Measured) -> None:
        spec = rule.spec
        if (self._one_side(spec.rung) if spec.separate else self._in_money(spec.rung) is not None) is False:
            return
        amount = half_up(self._order_amount(rule, lines, measured), self.places)
        if spec.at_least is not None and not amount:
            for state in lines:
                self._tried(state, rule, "not_higher", "")
            return
        if not spec.separate:
            whole = sum((state.total for state in lines), ZERO)
            self._share(lines, spec.rung, spec.id, spec.version, max(amount, -whole), spec.name, by=spec.share_by)
            return
        settings = self.question.prices.settings
        rate = settings.tax_rate if spec.tax_rate is None else spec.tax_rate
        if (lines[0].side if lines else settings.tax) == "included":
            net = half_up(amount / (ONE + rate), self.places)
            self.charges.append(Charge(spec.id, spec.version, spec.name, net, rate, amount - net, amount))
        else:
            tax = half_up(amount * rate, self.places)
            self.charges.append(Charge(spec.id, spec.version, spec.name, amount, rate, tax, amount + tax))

    def _in_money(self, rung: str) -> Decimal | None:
        """Bring every line to whole minor units, so that a share of an order's amount can be exact; the sum of all lines.

        None, and a refusal, where lines with and without tax meet.
        """
        if not self._one_side(rung):
            return None
        told = f"half_up {self.places} places" + (", total" if self.question.prices.settings.rounding == "total" else "")
        for state, amount in zip(self.states, self._said(self.states), strict=True):
            if state.total != amount:
                state.steps.append(Step(rung, "rounding", "1", "round", str(amount), state.total, amount, told))
            state.total, state.by_unit = amount, False
        return sum((state.total for state in self.states), ZERO)

    def _one_side(self, rung: str) -> bool:
        if len({state.side for state in self.states}) > 1:
            self.refusal = Refusal("mixed-tax-sides", {"rung": rung}, "keep the price lists of one cart on one tax side")
            return False
        return True

    def _said(self, states: Sequence[State]) -> list[Decimal]:
        """What lines say, at the currency's places."""
        settings = self.question.prices.settings
        return said(states, settings.unit_places, self.places, total_first=settings.rounding == "total")

    def _share(
        self, lines: Sequence[State], rung: str, rule: str, version: str, amount: Decimal, note: str, who: str = "", *, by: str = "value"
    ) -> None:
        weights = [state.total if by == "value" else Measured([state]).by(by) for state in lines]
        if not sum(weights):  # gifts, or nobody knows what they weigh
            by, weights = "quantity", [state.quantity for state in lines]
        shares = allocate(amount, weights, self.places)
        for state, share in zip(lines, shares, strict=True):
            after = state.total + share
            value = f"{share} of {amount}"
            state.steps.append(
                Step(rung, rule, version, "share", value, state.total, after,
                     "largest remainder" + ("" if by == "value" else f" by {by}"), note, who)
            )  # fmt: skip
            state.total = after

    def _round_units(self, rung: str) -> None:
        places = self.question.prices.settings.unit_places
        for state in self.states:
            unit = state.unit_of(state.total)
            after = half_up(unit, places)
            if state.by_unit and after != unit:
                total = after * state.price_unit_quantity / state.per
                state.steps.append(Step(rung, "rounding", "1", "round", str(after), state.total, total, f"half_up {places} places"))
                state.total = total

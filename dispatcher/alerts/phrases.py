"""What is said around an alert, in the languages that we know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from dispatcher.model.alert import Severity


class Phrases(NamedTuple):
    """The sentences of a language. Gaps: `{severity}`, `{what}`, `{many}`, `{number}`."""

    severities: Mapping[Severity, str]
    alert: str
    bundle: str
    resolved: str
    again: str
    call_back: str
    on_console: str
    answered: str
    drill: str
    unnamed: str
    end: str = ". "
    """Between two sentences."""


def _severities(critical: str, error: str, warning: str, info: str) -> dict[Severity, str]:
    return dict(zip(Severity, (critical, error, warning, info), strict=True))


PHRASES: Final[Mapping[str, Phrases]] = {
    "en": Phrases(
        _severities("Critical alert", "Error", "Warning", "Notice"),
        "{severity}: {what}",
        "{many} alerts at once. The worst is this. {severity}: {what}",
        "Resolved: {what}. There is nothing to do",
        "Once more",
        "To take it over, call {number}",
        "To take it over, open the console",
        "You have it now, because you answered",
        "This is a drill",
        "an alert without a name that can be read",
    ),
    "ja": Phrases(
        _severities("緊急アラート", "エラー", "警告", "お知らせ"),
        "{severity}です。{what}",
        "{many}件のアラートが同時に発生しています。最も重大なものは、{severity}、{what}",
        "解決しました。{what}。対応は不要です",
        "繰り返します",
        "対応する方は、{number}にお電話ください",
        "対応する方は、管理画面で確認してください",
        "電話に出たため、あなたが担当になりました",
        "これは訓練です",
        "名前を読み上げられないアラート",
        "。",
    ),
    "de": Phrases(
        _severities("Kritischer Alarm", "Fehler", "Warnung", "Hinweis"),
        "{severity}: {what}",
        "{many} Alarme auf einmal. Der schlimmste ist dieser. {severity}: {what}",
        "Behoben: {what}. Es ist nichts zu tun",
        "Noch einmal",
        "Um ihn zu übernehmen, rufen Sie an: {number}",
        "Um ihn zu übernehmen, öffnen Sie die Konsole",
        "Sie haben ihn übernommen, weil Sie abgenommen haben",
        "Dies ist eine Übung",
        "ein Alarm ohne lesbaren Namen",
    ),
    "fr": Phrases(
        _severities("Alerte critique", "Erreur", "Avertissement", "Information"),
        "{severity} : {what}",
        "{many} alertes à la fois. La plus grave est celle-ci. {severity} : {what}",
        "Résolu : {what}. Il n'y a rien à faire",
        "Je répète",
        "Pour la prendre en charge, appelez le {number}",
        "Pour la prendre en charge, ouvrez la console",
        "Vous l'avez prise en charge en décrochant",
        "Ceci est un exercice",
        "une alerte sans nom lisible",
    ),
    "es": Phrases(
        _severities("Alerta crítica", "Error", "Advertencia", "Aviso"),
        "{severity}: {what}",
        "{many} alertas a la vez. La más grave es esta. {severity}: {what}",
        "Resuelta: {what}. No hay nada que hacer",
        "Repito",
        "Para hacerse cargo, llame al {number}",
        "Para hacerse cargo, abra la consola",
        "Usted se ha hecho cargo al contestar",
        "Esto es un simulacro",
        "una alerta sin nombre legible",
    ),
    "it": Phrases(
        _severities("Allarme critico", "Errore", "Avvertimento", "Avviso"),
        "{severity}: {what}",
        "{many} allarmi insieme. Il più grave è questo. {severity}: {what}",
        "Risolto: {what}. Non c'è nulla da fare",
        "Ripeto",
        "Per prenderlo in carico, chiami il numero {number}",
        "Per prenderlo in carico, apra la console",
        "Lo ha preso in carico rispondendo",
        "Questa è un'esercitazione",
        "un allarme senza un nome leggibile",
    ),
    "pt": Phrases(
        _severities("Alerta crítico", "Erro", "Aviso", "Informação"),
        "{severity}: {what}",
        "{many} alertas ao mesmo tempo. O mais grave é este. {severity}: {what}",
        "Resolvido: {what}. Não há nada a fazer",
        "Repito",
        "Para assumir o alerta, ligue para {number}",
        "Para assumir o alerta, abra a consola",
        "O alerta ficou consigo, porque atendeu",
        "Isto é um exercício",
        "um alerta sem nome legível",
    ),
    "nl": Phrases(
        _severities("Kritiek alarm", "Fout", "Waarschuwing", "Melding"),
        "{severity}: {what}",
        "{many} alarmen tegelijk. Het ergste is dit. {severity}: {what}",
        "Opgelost: {what}. U hoeft niets te doen",
        "Nogmaals",
        "Om het over te nemen, bel {number}",
        "Om het over te nemen, open de console",
        "U hebt het nu, omdat u opnam",
        "Dit is een oefening",
        "een alarm zonder leesbare naam",
    ),
    "zh": Phrases(
        _severities("严重告警", "错误", "警告", "通知"),
        "{severity}：{what}",  # noqa: RUF001 - as Chinese is written
        "同时有{many}个告警。最严重的是：{severity}，{what}",  # noqa: RUF001
        "已恢复：{what}。无需处理",  # noqa: RUF001
        "再说一遍",
        "如需接手，请拨打{number}",  # noqa: RUF001
        "如需接手，请打开控制台",  # noqa: RUF001
        "您已接听，此告警由您处理",  # noqa: RUF001
        "这是演习",
        "没有可读名称的告警",
        "。",
    ),
    "ko": Phrases(
        _severities("긴급 알림", "오류", "경고", "안내"),
        "{severity}: {what}",
        "{many}건의 알림이 동시에 발생했습니다. 가장 심각한 것은 {severity}, {what}",
        "해결되었습니다: {what}. 조치할 것은 없습니다",
        "다시 한번 말씀드립니다",
        "담당하시려면 {number}로 전화하십시오",
        "담당하시려면 콘솔을 여십시오",
        "전화를 받으셨으므로 담당이 되셨습니다",
        "이것은 훈련입니다",
        "이름을 읽을 수 없는 알림",
    ),
}
"""Languages in which we know what to say. For others a chains file gives texts of its own."""
OTHERWISE: Final = "en"
"""The language of who speaks another one, for which there are no texts."""

"""What is said to people who call back, in the languages in which alerts are told.

Gaps: `{what}` is an alert as it is said, `{who}` a person's name, `{many}` a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class DialInPhrases(NamedTuple):
    """The sentences of a language, without their ends."""

    acknowledged: str
    bundle: str
    """Of several alerts that were told of together."""
    one_waits: str
    more_wait: str
    next_: str
    """How to acknowledge what waits."""
    yours: str
    taken: str
    """Somebody else has it."""
    resolved: str
    cancelled: str
    nothing: str
    """No alert has called this person."""
    hidden: str
    unknown: str
    away: str
    """Redis is not reached, and nothing was written."""
    unsure: str
    """It was asked to write, and did not answer."""
    end: str = ". "
    """Between two sentences, and after the last."""


DIAL_IN_PHRASES: Final[Mapping[str, DialInPhrases]] = {
    "en": DialInPhrases(
        "{what}: acknowledged",
        "{many} alerts acknowledged. The worst is {what}",
        "One more alert waits",
        "{many} more alerts wait",
        "Call again for the next one",
        "{what}: you have it already",
        "{what}: {who} has it",
        "{what}: resolved. There is nothing to do",
        "{what}: somebody cancelled its calls",
        "No alert has called you. There is nothing to acknowledge",
        "Your number is hidden, so we do not know who you are. Nothing was acknowledged."
        " Call again and show your number, or use the console",
        "Your number is not known here. Goodbye",
        "We cannot reach our records. The alert was not acknowledged."
        " Call again in a minute, or use the console",
        "We cannot say whether the alert was acknowledged."
        " Call again in a minute, or use the console",
    ),
    "ja": DialInPhrases(
        "{what}。確認しました",
        "{many}件のアラートを確認しました。最も重大なものは、{what}",
        "ほかに1件のアラートが待っています",
        "ほかに{many}件のアラートが待っています",
        "次のアラートは、もう一度お電話ください",
        "{what}。すでにあなたが担当しています",
        "{what}。{who}さんが担当しています",
        "{what}。解決しました。対応は不要です",
        "{what}。呼び出しは取り消されました",
        "あなたへのアラートはありません。確認するものはありません",
        "番号が非通知のため、どなたか分かりません。アラートは確認されていません。"
        "番号を通知してもう一度お電話いただくか、管理画面をご利用ください",
        "この番号は登録されていません。失礼いたします",
        "記録に接続できません。アラートは確認されていません。"
        "1分後にもう一度お電話いただくか、管理画面をご利用ください",
        "アラートが確認されたかどうか分かりません。1分後にもう一度お電話いただくか、管理画面をご利用ください",
        "。",
    ),
    "de": DialInPhrases(
        "{what}: übernommen",
        "{many} Alarme übernommen. Der schlimmste ist {what}",
        "Ein weiterer Alarm wartet",
        "{many} weitere Alarme warten",
        "Rufen Sie für den nächsten noch einmal an",
        "{what}: Sie haben ihn schon",
        "{what}: {who} hat ihn",
        "{what}: behoben. Es ist nichts zu tun",
        "{what}: Jemand hat die Anrufe abgebrochen",
        "Kein Alarm hat Sie angerufen. Es gibt nichts zu übernehmen",
        "Ihre Nummer ist unterdrückt, deshalb wissen wir nicht, wer Sie sind."
        " Nichts wurde übernommen. Rufen Sie mit Ihrer Nummer noch einmal an,"
        " oder öffnen Sie die Konsole",
        "Ihre Nummer ist hier nicht bekannt. Auf Wiederhören",
        "Unsere Daten sind nicht erreichbar. Der Alarm wurde nicht übernommen."
        " Rufen Sie in einer Minute noch einmal an, oder öffnen Sie die Konsole",
        "Wir wissen nicht, ob der Alarm übernommen wurde."
        " Rufen Sie in einer Minute noch einmal an, oder öffnen Sie die Konsole",
    ),
    "fr": DialInPhrases(
        "{what} : prise en charge",
        "{many} alertes prises en charge. La plus grave est {what}",
        "Une autre alerte attend",
        "{many} autres alertes attendent",
        "Rappelez pour la suivante",
        "{what} : vous l'avez déjà",
        "{what} : {who} l'a prise en charge",
        "{what} : résolu. Il n'y a rien à faire",
        "{what} : quelqu'un a annulé les appels",
        "Aucune alerte ne vous a appelé. Il n'y a rien à prendre en charge",
        "Votre numéro est masqué, nous ne savons donc pas qui vous êtes."
        " Rien n'a été pris en charge. Rappelez en affichant votre numéro, ou ouvrez la console",
        "Votre numéro n'est pas connu ici. Au revoir",
        "Nos données ne sont pas accessibles. L'alerte n'a pas été prise en charge."
        " Rappelez dans une minute, ou ouvrez la console",
        "Nous ne savons pas si l'alerte a été prise en charge."
        " Rappelez dans une minute, ou ouvrez la console",
    ),
    "es": DialInPhrases(
        "{what}: confirmada",
        "{many} alertas confirmadas. La más grave es {what}",
        "Queda una alerta más",
        "Quedan {many} alertas más",
        "Llame otra vez para la siguiente",
        "{what}: usted ya se hizo cargo",
        "{what}: {who} se ha hecho cargo",
        "{what}: resuelta. No hay nada que hacer",
        "{what}: alguien canceló las llamadas",
        "Ninguna alerta le ha llamado. No hay nada que confirmar",
        "Su número está oculto y no sabemos quién es. No se ha confirmado nada."
        " Llame otra vez mostrando su número, o abra la consola",
        "Su número no es conocido aquí. Adiós",
        "No podemos acceder a los datos. La alerta no se ha confirmado."
        " Llame otra vez dentro de un minuto, o abra la consola",
        "No sabemos si la alerta se ha confirmado."
        " Llame otra vez dentro de un minuto, o abra la consola",
    ),
    "it": DialInPhrases(
        "{what}: preso in carico",
        "{many} allarmi presi in carico. Il più grave è {what}",
        "C'è un altro allarme in attesa",
        "Ci sono altri {many} allarmi in attesa",
        "Chiami di nuovo per il prossimo",
        "{what}: lo ha già preso in carico",
        "{what}: lo ha preso in carico {who}",
        "{what}: risolto. Non c'è nulla da fare",
        "{what}: qualcuno ha annullato le chiamate",
        "Nessun allarme l'ha chiamata. Non c'è nulla da prendere in carico",
        "Il suo numero è nascosto e non sappiamo chi è. Nulla è stato preso in carico."
        " Chiami di nuovo mostrando il numero, o apra la console",
        "Il suo numero non è conosciuto qui. Arrivederci",
        "I nostri dati non sono raggiungibili. L'allarme non è stato preso in carico."
        " Chiami di nuovo tra un minuto, o apra la console",
        "Non sappiamo se l'allarme è stato preso in carico."
        " Chiami di nuovo tra un minuto, o apra la console",
    ),
    "pt": DialInPhrases(
        "{what}: assumido",
        "{many} alertas assumidos. O mais grave é {what}",
        "Há mais um alerta à espera",
        "Há mais {many} alertas à espera",
        "Ligue outra vez para o seguinte",
        "{what}: já está consigo",
        "{what}: está com {who}",
        "{what}: resolvido. Não há nada a fazer",
        "{what}: alguém cancelou as chamadas",
        "Nenhum alerta lhe ligou. Não há nada a assumir",
        "O seu número está oculto e não sabemos quem é. Nada foi assumido."
        " Ligue outra vez mostrando o número, ou abra a consola",
        "O seu número não é conhecido aqui. Adeus",
        "Não conseguimos aceder aos dados. O alerta não foi assumido."
        " Ligue outra vez dentro de um minuto, ou abra a consola",
        "Não sabemos se o alerta foi assumido."
        " Ligue outra vez dentro de um minuto, ou abra a consola",
    ),
    "nl": DialInPhrases(
        "{what}: overgenomen",
        "{many} alarmen overgenomen. Het ergste is {what}",
        "Er wacht nog een alarm",
        "Er wachten nog {many} alarmen",
        "Bel opnieuw voor het volgende",
        "{what}: u hebt het al",
        "{what}: {who} heeft het",
        "{what}: opgelost. U hoeft niets te doen",
        "{what}: iemand heeft de oproepen geannuleerd",
        "Geen alarm heeft u gebeld. Er is niets over te nemen",
        "Uw nummer is verborgen, dus we weten niet wie u bent. Er is niets overgenomen."
        " Bel opnieuw en toon uw nummer, of open de console",
        "Uw nummer is hier niet bekend. Tot ziens",
        "Onze gegevens zijn niet bereikbaar. Het alarm is niet overgenomen."
        " Bel over een minuut opnieuw, of open de console",
        "We weten niet of het alarm is overgenomen."
        " Bel over een minuut opnieuw, of open de console",
    ),
    "zh": DialInPhrases(
        "{what}，已确认",  # noqa: RUF001 - as Chinese is written
        "已确认{many}个告警。最严重的是{what}",
        "还有一个告警在等待",
        "还有{many}个告警在等待",
        "请再次来电确认下一个",
        "{what}，已经由您处理",  # noqa: RUF001
        "{what}，由{who}处理",  # noqa: RUF001
        "{what}，已恢复。无需处理",  # noqa: RUF001
        "{what}，呼叫已被取消",  # noqa: RUF001
        "没有呼叫过您的告警。无需确认",
        "您的号码未显示，我们不知道您是谁。没有确认任何告警。"  # noqa: RUF001
        "请显示号码后再次来电，或打开控制台",  # noqa: RUF001
        "您的号码未登记。再见",
        "无法访问记录。告警没有确认。请一分钟后再次来电，或打开控制台",  # noqa: RUF001
        "无法确定告警是否已确认。请一分钟后再次来电，或打开控制台",  # noqa: RUF001
        "。",
    ),
    "ko": DialInPhrases(
        "{what}, 확인되었습니다",
        "{many}건의 알림이 확인되었습니다. 가장 심각한 것은 {what}입니다",
        "알림 한 건이 더 기다리고 있습니다",
        "알림 {many}건이 더 기다리고 있습니다",
        "다음 알림은 다시 전화하십시오",
        "{what}, 이미 담당하고 계십니다",
        "{what}, {who} 님이 담당하고 있습니다",
        "{what}, 해결되었습니다. 조치할 것은 없습니다",
        "{what}, 호출이 취소되었습니다",
        "귀하를 호출한 알림이 없습니다. 확인할 것이 없습니다",
        "번호가 표시되지 않아 누구신지 알 수 없습니다. 확인된 알림이 없습니다."
        " 번호를 표시하고 다시 전화하시거나 콘솔을 여십시오",
        "등록되지 않은 번호입니다. 안녕히 계십시오",
        "기록에 접속할 수 없습니다. 알림이 확인되지 않았습니다."
        " 1분 후에 다시 전화하시거나 콘솔을 여십시오",
        "알림이 확인되었는지 알 수 없습니다. 1분 후에 다시 전화하시거나 콘솔을 여십시오",
    ),
}

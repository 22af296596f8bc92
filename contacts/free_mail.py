"""Email domains that belong to no company: those of free providers, and further ones per workspace."""

from contacts.models import FreeMailDomains

SHIPPED = frozenset(
    """
    126.com 163.com aim.com alice.it aliceadsl.fr aol.com arcor.de att.net bellsouth.net bigpond.com bk.ru bluewin.ch
    bol.com.br btinternet.com charter.net comcast.net cox.net daum.net duck.com earthlink.net email.com email.de
    fastmail.com foxmail.com free.fr freemail.hu freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.fr gmx.net
    googlemail.com hanmail.net hey.com hotmail.ch hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it
    hushmail.com icloud.com inbox.lv inbox.ru interia.pl kpnmail.nl laposte.net libero.it list.ru live.at live.be
    live.co.uk live.com live.de live.fr live.it live.nl mac.com mail.com mail.de mail.ru mailbox.org me.com msn.com
    naver.com neuf.fr o2.pl optonline.net orange.fr outlook.at outlook.com outlook.de outlook.es outlook.fr outlook.it
    pm.me posteo.de posteo.net proton.me protonmail.ch protonmail.com qq.com rediffmail.com rocketmail.com sapo.pt
    sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com sky.com t-online.de telenet.be terra.com.br tiscali.it tuta.com
    tuta.io tutanota.com ukr.net uol.com.br verizon.net virgilio.it virginmedia.com vodafone.it walla.com wanadoo.fr
    web.de wp.pl xs4all.nl yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.br yahoo.de yahoo.es
    yahoo.fr yahoo.it yandex.com yandex.ru yeah.net ymail.com ziggo.nl zoho.com zohomail.eu
    """.split()  # not a text
)


def free_mail_domains() -> frozenset[str]:
    """Return the shipped domains and the workspace's own."""
    return SHIPPED.union(own_domains())


def own_domains() -> list[str]:
    found = FreeMailDomains.objects.first()
    return found.domains.splitlines() if found else []

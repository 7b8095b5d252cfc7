"""Hands the use cases their ports."""

from datetime import timedelta

from core.analytics import use_cases as analytics
from core.application import (
    AnalyticsUseCases,
    Application,
    CatalogueUseCases,
    ExportUseCases,
    FileUseCases,
    FormUseCases,
    IdentityUseCases,
    InboxUseCases,
    NotificationUseCases,
    OrderUseCases,
    PlatformUseCases,
    PushUseCases,
    RoomUseCases,
    ShopUseCases,
    SiteUseCases,
    StorefrontUseCases,
    TeamUseCases,
    VisitorUseCases,
    WebhookUseCases,
)
from core.catalogue import storefront
from core.catalogue import use_cases as catalogue
from core.conversations import answering, closing, inbox, joining, online, rooms, visitor
from core.exports import use_cases as exports
from core.files import serving, uploading
from core.forms import use_cases as forms
from core.identity import admins, authentication, people
from core.identity import use_cases as identity
from core.notifications import pushing, subscribing
from core.notifications import use_cases as notifications
from core.orders import submitting, telling
from core.orders import use_cases as orders
from core.shops import approval, deletion, documents
from core.shops import members as team
from core.shops import use_cases as shops
from core.sites import pages, resolution
from core.sites import use_cases as sites
from core.visits import identity as identity_of_visitors
from core.visits import use_cases as visits
from core.webhooks import log, sending
from core.webhooks import use_cases as webhooks
from ports.assistant import Assistant
from ports.cipher import Cipher
from ports.clock import Clock, Ids
from ports.db import Database
from ports.emails import Emails
from ports.filetypes import FileTypes
from ports.passwords import Passwords
from ports.presence import Presence
from ports.proofs import Proofs
from ports.push import PushSender
from ports.storage import Storage
from ports.tokens import Tokens
from ports.webhooks import WebhookSender, Wording


def application(
    *,
    db: Database,
    clock: Clock,
    ids: Ids,
    storage: Storage,
    file_types: FileTypes,
    files_url: str,
    upload_limit: int,
    emails: Emails,
    passwords: Passwords,
    cipher: Cipher,
    proofs: Proofs,
    tokens: Tokens,
    assistant: Assistant,
    presence: Presence,
    logins: identity.Logins,
    chat_idle: timedelta,
    sender: WebhookSender,
    wording: Wording,
    lease: timedelta,
    push_sender: PushSender,
) -> Application:
    return Application(
        identity=_identity(db, clock, ids, emails, passwords, tokens, logins),
        shops=_shops(db, clock, ids),
        team=TeamUseCases(
            list=team.ListTeam(db),
            add=team.AddMember(db, clock),
            change_role=team.ChangeRole(db),
            remove=team.RemoveMember(db, clock),
        ),
        platform=_platform(db, clock),
        sites=_sites(db, clock, ids, cipher),
        visitor=_visitor(db, clock, ids, cipher, proofs),
        rooms=RoomUseCases(
            rooms.FollowSession(db), rooms.FollowConversation(db), online.ListOnline(db, presence)
        ),
        inbox=_inbox(db, clock, ids),
        notifications=NotificationUseCases(
            list=notifications.ListNotifications(db),
            read=notifications.ReadNotifications(db, clock),
            delete=notifications.DeleteNotifications(db),
        ),
        push=PushUseCases(
            public_key=subscribing.ReadPushKey(push_sender),
            subscribe=subscribing.SubscribeToPushes(db, clock, ids, cipher, push_sender),
            unsubscribe=subscribing.UnsubscribeFromPushes(db),
            send=pushing.PushNotification(db, clock, cipher, push_sender),
        ),
        catalogue=CatalogueUseCases(
            list=catalogue.ListProducts(db),
            read=catalogue.ReadProduct(db),
            add=catalogue.AddProduct(db, clock, ids),
            change=catalogue.ChangeProduct(db, clock),
            remove=catalogue.RemoveProduct(db),
            adjust_stock=catalogue.AdjustStock(db, clock),
        ),
        forms=FormUseCases(
            list=forms.ListForms(db),
            add=forms.AddForm(db, clock, ids),
            change=forms.ChangeForm(db, ids),
            remove=forms.RemoveForm(db),
        ),
        storefront=StorefrontUseCases(
            read=storefront.ReadStorefront(db), submit=submitting.SubmitForm(db, clock, ids)
        ),
        exports=ExportUseCases(exports.BeginExport(db), exports.ReadExport(db)),
        analytics=AnalyticsUseCases(
            overview=analytics.SumUp(db, clock),
            orders=analytics.CountOrders(db, clock),
            products=analytics.CountProducts(db, clock),
            forms=analytics.CountForms(db, clock),
            conversations=analytics.CountConversations(db, clock),
            revenue=analytics.CountRevenue(db, clock),
        ),
        orders=OrderUseCases(
            list=orders.ListOrders(db),
            read=orders.ReadOrder(db),
            place=orders.PlaceOrder(db, clock, ids),
            change=orders.ChangeOrder(db, clock),
            change_status=orders.ChangeStatus(db, clock),
            delete=orders.DeleteOrder(db, clock),
        ),
        files=FileUseCases(
            locate=uploading.LocateConversation(db),
            begin=uploading.BeginUpload(db, clock, ids, files_url, upload_limit),
            receive=uploading.ReceiveUpload(db, clock, ids, storage, file_types),
            complete=uploading.CompleteUpload(db, clock),
            read=serving.ReadFile(db, storage),
            sweep=serving.SweepFiles(db, clock, storage),
        ),
        answer=answering.AnswerCustomer(db, assistant, clock, ids),
        close_silent=closing.CloseSilent(db, clock, chat_idle),
        tell_customer=telling.TellCustomer(db, clock, ids),
        webhooks=_webhooks(db, clock, ids, cipher, sender, wording, lease),
    )


def _identity(
    db: Database,
    clock: Clock,
    ids: Ids,
    emails: Emails,
    passwords: Passwords,
    tokens: Tokens,
    logins: identity.Logins,
) -> IdentityUseCases:
    read_cookie, check_login = identity.ReadCookie(db, clock), identity.CheckLogin(db, clock)
    return IdentityUseCases(
        authenticate=authentication.Authenticate(tokens, read_cookie, shops.FindShop(db), check_login, clock),
        authenticate_visitor=authentication.AuthenticateVisitor(tokens),
        authenticate_socket=authentication.AuthenticateSocket(tokens, db, shops.FindShop(db), clock),
        issue_visitor=authentication.IssueVisitor(tokens, clock, ids),
        issue_socket=authentication.IssueSocket(tokens),
        issue_admin_socket=authentication.IssueAdminSocket(tokens),
        register=identity.Register(db, emails, passwords, logins, clock, ids),
        log_in=identity.LogIn(db, emails, passwords, logins),
        log_out=identity.LogOut(db, clock),
        refresh=identity.Refresh(db, logins, clock),
        read_cookie=read_cookie,
        check_login=check_login,
        who_am_i=identity.WhoAmI(db),
        ensure_profile=identity.EnsureProfile(db, logins, clock),
        people=people.ListPeople(db),
        find_person=people.FindPerson(db),
        change_account=people.ChangeAccount(db, passwords, clock),
    )


def _shops(db: Database, clock: Clock, ids: Ids) -> ShopUseCases:
    return ShopUseCases(
        open=shops.OpenShop(db, clock, ids),
        list=shops.ListShops(db),
        read=shops.ReadShop(db),
        edit=documents.EditShop(db, clock, ids),
        remember=documents.RememberShop(db, clock, ids),
        request_upgrade=approval.RequestUpgrade(db),
        delete=deletion.DeleteShop(db),
        allow_origins=shops.AllowOrigins(db),
        read_keys=shops.ReadKeys(db),
        replace_admin_key=shops.ReplaceAdminKey(db, ids),
        find=shops.FindShop(db),
    )


def _platform(db: Database, clock: Clock) -> PlatformUseCases:
    return PlatformUseCases(
        admins=admins.ListAdmins(db),
        grant=admins.GrantAdmin(db),
        revoke=admins.RevokeAdmin(db),
        shops=approval.SurveyShops(db),
        approve=approval.ApproveSubscription(db, clock),
        reject=approval.RejectSubscription(db),
    )


def _sites(db: Database, clock: Clock, ids: Ids, cipher: Cipher) -> SiteUseCases:
    return SiteUseCases(
        list=sites.ListSites(db),
        add=sites.AddSite(db, clock, ids),
        change=sites.ChangeSite(db),
        remove=sites.RemoveSite(db),
        resolve=resolution.ResolveShop(db),
        pages=pages.ReadPages(db),
        read_identity_secret=identity_of_visitors.ReadIdentitySecret(db, cipher),
        rotate_identity_secret=identity_of_visitors.RotateIdentitySecret(db, clock, ids, cipher),
    )


def _visitor(db: Database, clock: Clock, ids: Ids, cipher: Cipher, proofs: Proofs) -> VisitorUseCases:
    return VisitorUseCases(
        open_session=visitor.OpenSession(db, clock, ids),
        post=visitor.PostCustomerMessage(db, clock, ids),
        history=visitor.ReadHistory(db),
        thread=visitor.ReadThread(db),
        enter=visits.EnterSession(db, clock, ids, identity_of_visitors.Vouching(db, clock, cipher, proofs)),
        find_session=visits.FindSession(db),
        mark_read=visitor.MarkReadByCustomer(db),
        types=visitor.CustomerTypes(db),
    )


def _inbox(db: Database, clock: Clock, ids: Ids) -> InboxUseCases:
    return InboxUseCases(
        list=inbox.ListConversations(db),
        read=inbox.ReadConversation(db),
        messages=inbox.ReadMessages(db),
        start=inbox.StartConversation(db, clock, ids),
        change=inbox.ChangeConversation(db, clock),
        post=inbox.PostFromInbox(db, clock, ids),
        delete=inbox.DeleteConversation(db),
        delete_message=inbox.DeleteMessage(db),
        mark_read=inbox.MarkReadByAgent(db),
        join=joining.JoinShop(db),
        types=joining.AgentTypes(db),
    )


def _webhooks(
    db: Database,
    clock: Clock,
    ids: Ids,
    cipher: Cipher,
    sender: WebhookSender,
    wording: Wording,
    lease: timedelta,
) -> WebhookUseCases:
    return WebhookUseCases(
        create=webhooks.CreateWebhook(db, clock, ids, cipher, sender),
        list=webhooks.ListWebhooks(db),
        read=webhooks.ReadWebhook(db),
        change=webhooks.ChangeWebhook(db, sender),
        delete=webhooks.DeleteWebhook(db),
        rotate_secret=webhooks.RotateSecret(db, clock, ids, cipher),
        send_test=webhooks.SendTest(db, clock, ids, wording),
        deliveries=log.ListDeliveries(db),
        delivery=log.ReadDelivery(db),
        replay=log.ReplayDelivery(db, clock),
        serve=sending.ServeEndpoints(db, clock, cipher, sender, wording, lease),
    )

(* Mulayoff, Michaeli and Soudry 2021, section 4.2: sharpness where units toggle on data points (Lemma 5, eqs 33-35;
   M7, M8, B4). Two-layer networks of any width on any number of distinct data points. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums batches two_layer mulayoff2021.stability
  mulayoff2021.stability_switching_systems.
Import ListNotations.
Open Scope R_scope.

(* ** What Lemma 2 and eq 34 leave for lambda = lambda_up, as numbers: U stands for C^2 p_max/n. *)

(* mulayoff2021, eq 35 as derived (M8.c): "using Lemma 2 with delta = 2 sqrt(3) C sqrt(lambda p/n)". *)
Theorem deduced_bound (lambda eta C p n : R) :
  0 < eta -> 0 <= C -> 0 <= p -> 0 < n -> 0 <= lambda ->
  lambda <= 2 / eta + 2 * sqrt 3 * C * sqrt lambda * sqrt (p / n) ->
  lambda <= 2 / eta + 6 * (C ^ 2 * p / n) + 2 * C * sqrt (3 * (p / n) * (3 * (C ^ 2 * p / n) + 2 / eta)).
Proof.
  intros eta_pos C_pos p_pos n_pos lambda_pos left. set (r := p / n) in *.
  assert (0 <= r) as r_pos by (apply Rmult_le_pos; [easy|apply Rlt_le, Rinv_0_lt_compat, n_pos]).
  replace (C ^ 2 * p / n) with (C ^ 2 * r) by (unfold r, Rdiv; ring).
  assert (0 < 2 / eta) as edge_pos by (apply Rdiv_lt_0_compat; lra). set (edge := 2 / eta) in *.
  set (k := sqrt 3 * C * sqrt r). assert (0 <= k) as k_pos by (repeat apply Rmult_le_pos; easy || apply sqrt_pos).
  assert (k * k = 3 * (C ^ 2 * r)) as square.
  { unfold k. pose proof (sqrt_sqrt 3 ltac:(lra)). pose proof (sqrt_sqrt r r_pos).
    replace (sqrt 3 * C * sqrt r * (sqrt 3 * C * sqrt r)) with (sqrt 3 * sqrt 3 * (sqrt r * sqrt r) * C ^ 2) by ring.
    rewrite H, H0. ring. }
  replace (C * sqrt (3 * r * (3 * (C ^ 2 * r) + edge))) with (k * sqrt (k * k + edge)).
  2: { rewrite square, sqrt_mult_alt, sqrt_mult_alt by lra. unfold k. ring. }
  replace (2 * C * sqrt (3 * r * (3 * (C ^ 2 * r) + edge))) with (2 * (k * sqrt (k * k + edge))).
  2: { rewrite square, sqrt_mult_alt, sqrt_mult_alt by lra. unfold k. ring. }
  set (s := sqrt lambda) in *. assert (s * s = lambda) as root by now apply sqrt_sqrt.
  assert (0 <= s) by apply sqrt_pos.
  set (t := sqrt (k * k + edge)). assert (t * t = k * k + edge) by (apply sqrt_sqrt; nra).
  assert (0 <= t) by apply sqrt_pos.
  (* (s - k)^2 <= k^2 + edge *)
  assert (s <= k + t) as bound.
  { assert ((s - k) * (s - k) <= t * t) by (unfold k in *; nra). nra. }
  replace (6 * (C ^ 2 * r)) with (2 * (k * k)) by lra. nra.
Qed.

(* Lemma 2 with eq 34, for any switching system whose stochastic gradients vanish: what section 4.2 derives, with the
   right constants. *)
Theorem lemma_2_and_eq_34_allow {A M : Type} (coordinates : list A) (mode : (A -> R) -> M)
    (draws : M -> list (@batch A)) (q : A -> R) (lambda eps eta C p n : R) :
  0 < eps -> 0 < eta -> 0 <= C -> 0 <= p -> 0 < n -> 0 <= lambda -> norm coordinates q = 1 ->
  (forall m, draws m <> []) -> (forall m b i, In b (draws m) -> batch_gradient b i = 0) ->
  (forall m, norm coordinates (fun i => apply coordinates (mode_hessian draws m) q i - lambda * q i)
             <= 2 * sqrt 3 * C * sqrt lambda * sqrt (p / n)) ->
  eps_strongly_stable coordinates mode draws eps eta ->
  lambda <= 2 / eta + 6 * (C ^ 2 * p / n) + 2 * C * sqrt (3 * (p / n) * (3 * (C ^ 2 * p / n) + 2 / eta)).
Proof.
  intros eps_pos eta_pos C_pos p_pos n_pos lambda_pos unit nonempty still near stable.
  apply deduced_bound; try easy.
  destruct (Rle_dec lambda (2 / eta + 2 * sqrt 3 * C * sqrt lambda * sqrt (p / n))) as [|above]; [easy|exfalso].
  revert stable. apply (common_direction_not_strongly_stable coordinates mode draws eps eta
    (2 * sqrt 3 * C * sqrt lambda * sqrt (p / n)) 0 lambda (fun _ => lambda) q); try easy; [|intros; lra|lra].
  intros m. unfold gradient_along. rewrite (mean_eq _ (fun _ => 0)); [rewrite mean_const by easy; lra|].
  intros b Hb. replace (dot coordinates q (batch_gradient b)) with 0; [apply Rabs_R0|].
  symmetry. apply sum_zero. intros i _. rewrite (still m b i Hb). ring.
Qed.

(* The printed bound, eq 35. *)
Definition printed_bound (eta C p n : R) : R :=
  2 / eta + 3 * C ^ 2 * (p / n) + C * sqrt (3 * (p / n) * (3 * C ^ 2 * (p / n) + 2 / eta)).

(* ** A counter-model (M8.b): gradient descent with eta = 1/8 on the continuous loss min(16 a^2 + 9 b^2, 64 a^2 + 8
   b^2)/2 of two modes. It is strongly stable and obeys eq 34 with C = 1, p_max = 3, n = 1, q = (1, 0), lambda_up =
   64; eq 35 says at most 40. So eq 35 does not follow from eq 34 and strong stability; 64 is what `deduced_bound`
   allows. *)

Definition thin (v : nat -> R) : bool :=
  if Rle_dec (48 * (v 0%nat * v 0%nat)) (v 1%nat * v 1%nat) then true else false.
Definition two_modes (sharp : bool) (p q : nat) : R :=
  if Nat.eqb p q then (if Nat.eqb p 0 then (if sharp then 64 else 16) else (if sharp then 8 else 9)) else 0.
Definition along_sharp (p : nat) : R := if Nat.eqb p 0 then 1 else 0.

Lemma two_modes_quadratic sharp v :
  quadratic plane (two_modes sharp) v
  = if sharp then 64 * (v 0%nat * v 0%nat) + 8 * (v 1%nat * v 1%nat)
    else 16 * (v 0%nat * v 0%nat) + 9 * (v 1%nat * v 1%nat).
Proof. unfold quadratic, dot, apply, two_modes, plane. destruct sharp; simpl; ring. Qed.

Theorem printed_bound_does_not_follow :
  let eta := 1 / 8 in let C := 1 in let p := 3 in let n := 1 in let lambda := 64 in
  (forall m, symmetric plane (two_modes m) /\ positive_semidefinite plane (two_modes m)
             /\ lambda_max_at_most plane lambda (two_modes m))
  (* the loss is continuous, being the smaller of the two in every place, and its minimum is strict *)
  /\ (forall v m, quadratic plane (two_modes (thin v)) v <= quadratic plane (two_modes m) v)
  /\ (forall v, (v 0%nat <> 0 \/ v 1%nat <> 0) -> 0 < quadratic plane (two_modes (thin v)) v)
  (* q is a unit vector and a top eigenvector of one mode; eq 34 *)
  /\ norm plane along_sharp = 1
  /\ (forall i, In i plane -> apply plane (two_modes true) along_sharp i = lambda * along_sharp i)
  /\ (forall m, norm plane (fun i => apply plane (two_modes m) along_sharp i - lambda * along_sharp i)
                <= 2 * sqrt 3 * C * sqrt lambda * sqrt (p / n))
  /\ (forall eps, eps_strongly_stable plane thin (descent_draws two_modes) eps eta)
  /\ printed_bound eta C p n = 40 /\ 40 < lambda
  /\ lambda = 2 / eta + 6 * (C ^ 2 * p / n) + 2 * C * sqrt (3 * (p / n) * (3 * (C ^ 2 * p / n) + 2 / eta)).
Proof.
  intros eta C p n lambda.
  assert (sqrt 225 = 15) as root by (replace 225 with (15 * 15) by lra; apply sqrt_square; lra).
  assert (sqrt 64 = 8) as root' by (replace 64 with (8 * 8) by lra; apply sqrt_square; lra).
  assert (2 / eta = 16) as edge by (unfold eta; lra).
  split; [|split; [|split; [|split; [|split; [|split; [|split; [|split; [|split]]]]]]]].
  - intros m. split; [|split].
    + intros i j _ _. unfold two_modes. rewrite (Nat.eqb_sym j i). destruct (Nat.eqb_spec i j) as [->|]; reflexivity.
    + intros v. rewrite two_modes_quadratic. destruct m; nra.
    + intros v. rewrite two_modes_quadratic. unfold dot, plane, lambda. simpl. destruct m; nra.
  - intros v m. rewrite !two_modes_quadratic. unfold thin.
    destruct (Rle_dec (48 * (v 0%nat * v 0%nat)) (v 1%nat * v 1%nat)), m; lra.
  - intros v nonzero. rewrite two_modes_quadratic. destruct (thin v), nonzero; nra.
  - unfold norm, dot, plane, along_sharp. simpl. replace (1 * 1 + (0 * 0 + 0)) with 1 by ring. apply sqrt_1.
  - intros i [<-|[<-|[]]]; unfold apply, two_modes, along_sharp, plane, lambda; simpl; ring.
  - intros m. apply Rle_trans with 48.
    + rewrite <- (sqrt_square 48) by lra. apply sqrt_le_1_alt.
      unfold dot, plane, apply, two_modes, along_sharp, lambda. destruct m; simpl; lra.
    + unfold lambda, C, p, n. rewrite root'. replace (3 / 1) with 3 by lra. pose proof (sqrt_sqrt 3 ltac:(lra)). lra.
  - intros eps v start t. rewrite switching_trajectory. eapply Rle_trans; [|exact start].
    clear start. revert v. induction t as [|t IH]; intros v; simpl; [lra|]. eapply Rle_trans; [apply IH|].
    apply sqrt_le_1_alt. unfold switching_step, thin, dot, descent_step, apply, two_modes, plane, eta.
    destruct (Rle_dec (48 * (v 0%nat * v 0%nat)) (v 1%nat * v 1%nat)); simpl; nra.
  - unfold printed_bound, C, p, n. rewrite edge. replace (3 * (3 / 1) * (3 * 1 ^ 2 * (3 / 1) + 16)) with 225 by lra.
    rewrite root. lra.
  - unfold lambda. lra.
  - unfold lambda, C, p, n. rewrite edge. replace (3 * (3 / 1) * (3 * (1 ^ 2 * 3 / 1) + 16)) with 225 by lra.
    rewrite root. lra.
Qed.

(* ** Networks. A mode says which unit is active at which data point. *)

Lemma abs_square a C : Rabs a <= C -> a * a <= C ^ 2.
Proof. intros within. unfold Rabs in within. destruct (Rcase_abs a); nra. Qed.

Section Network.
  Variable net : network.
  Variable x : list R.
  Notation coordinates := (parameters net).
  Notation units := (seq 0 (width net)).
  Notation z i t := (pre_activation (unit net i) t).

  (* A unit that toggles on a data point may be active there or not; the others are as they are. *)
  Definition is_mode (m : nat -> R -> bool) : Prop :=
    forall i t, In i units -> In t x -> (0 < z i t -> m i t = true) /\ (z i t < 0 -> m i t = false).

  (* The gradient of f(t) in a mode, phi(x_j, theta, m_j) of Lemma 5, and the Hessian at interpolation. *)
  Definition mode_gradient (m : nat -> R -> bool) (t : R) (p : parameter) : R :=
    match p with
    | W1 i => if m i t then w2 (unit net i) * t else 0
    | B1 i => if m i t then w2 (unit net i) else 0
    | W2 i => if m i t then z i t else 0
    | B2 => 1
    end.
  Definition hessian_on (data : list R) (m : nat -> R -> bool) : parameter -> parameter -> R :=
    fun p q => mean (fun t => mode_gradient m t p * mode_gradient m t q) data.

  (* The mode that theta* + v lies in, v small: a unit that toggles is active if v makes its pre-activation positive. *)
  Definition mode_of (v : parameter -> R) (i : nat) (t : R) : bool :=
    if Rlt_dec 0 (z i t) then true
    else if Rlt_dec (z i t) 0 then false
    else if Rlt_dec 0 (t * v (W1 i) + v (B1 i)) then true else false.

  (* SGD at interpolation: the gradients of all samples vanish at theta*. *)
  Definition network_draws (batches : list (list R)) (m : nat -> R -> bool) : list batch :=
    map (fun b => Batch (fun _ => 0) (hessian_on b m)) batches.
  (* Every sample counts alike. *)
  Definition fair_batches (batches : list (list R)) : Prop := forall F : R -> R, mean (mean F) batches = mean F x.

  (* C bounds all gradients, and at most p units toggle on one data point; no unit has w1 = b1 = 0. *)
  Definition gradients_within (C : R) : Prop :=
    forall m t p, is_mode m -> In t x -> In p coordinates -> Rabs (mode_gradient m t p) <= C.
  Definition toggles (i : nat) (t : R) : bool := if Req_EM_T (z i t) 0 then true else false.
  Definition toggling_at_most (p : nat) : Prop :=
    forall t, In t x -> (length (filter (fun i => toggles i t) units) <= p)%nat.
  Definition no_idle_unit : Prop := forall i, In i units -> w1 (unit net i) <> 0 \/ b1 (unit net i) <> 0.
  (* Or they are at rest along v. *)
  Definition idle_at_rest (v : parameter -> R) : Prop :=
    forall i, In i units -> (w1 (unit net i) <> 0 \/ b1 (unit net i) <> 0) \/ (v (W1 i) = 0 /\ v (B1 i) = 0).

  (* d/ds f(t) along v in a mode: what one unit gives, and all. *)
  Definition along_unit (m : nat -> R -> bool) (v : parameter -> R) (t : R) (i : nat) : R :=
    if m i t then w2 (unit net i) * (t * v (W1 i) + v (B1 i)) + z i t * v (W2 i) else 0.
  Definition along (m : nat -> R -> bool) (v : parameter -> R) (t : R) : R := dot coordinates (mode_gradient m t) v.

  Lemma along_units m v t : along m v t = sum (along_unit m v t) units + v B2.
  Proof.
    unfold along, dot. rewrite sum_parameters. simpl mode_gradient. rewrite Rmult_1_l. f_equal.
    apply sum_eq. intros i _. unfold along_unit. destruct (m i t); ring.
  Qed.

  Lemma dot_hessian data m u v :
    dot coordinates u (apply coordinates (hessian_on data m) v) = mean (fun t => along m u t * along m v t) data.
  Proof.
    unfold dot at 1, apply, hessian_on.
    rewrite (sum_eq _ (fun p => mean (fun t => u p * mode_gradient m t p * along m v t) data)).
    - rewrite <- mean_sum_swap. apply mean_eq. intros t _. rewrite sum_scal_r. f_equal.
      apply sum_eq. intros. ring.
    - intros p _. rewrite (sum_eq _ (fun q => mean (fun t => mode_gradient m t p * mode_gradient m t q * v q) data)).
      + rewrite <- mean_sum_swap, <- mean_scal. apply mean_eq. intros t _. unfold along, dot. rewrite <- !sum_scal.
        apply sum_eq. intros. ring.
      + intros q _. unfold mean, Rdiv. rewrite sum_scal_r. ring.
  Qed.

  Lemma quadratic_hessian data m v :
    quadratic coordinates (hessian_on data m) v = mean (fun t => along m v t * along m v t) data.
  Proof. apply dot_hessian. Qed.

  Lemma mode_of_is_mode v : is_mode (mode_of v).
  Proof.
    intros i t _ _. unfold mode_of. split; intros; destruct (Rlt_dec 0 (z i t)), (Rlt_dec (z i t) 0); lra || easy.
  Qed.

  (* It is the mode of theta* + s v, s > 0 small. *)
  Lemma mode_of_is_local v :
    exists d, 0 < d /\ forall i t, In i units -> In t x -> forall s, 0 < s < d ->
      pre_activation (moved_unit (unit net i) v s i) t <> 0 ->
      mode_of v i t = if Rlt_dec 0 (pre_activation (moved_unit (unit net i) v s i) t) then true else false.
  Proof.
    destruct (together (fun i s => forall t, In t x -> 0 < s ->
      pre_activation (moved_unit (unit net i) v s i) t <> 0 ->
      mode_of v i t = if Rlt_dec 0 (pre_activation (moved_unit (unit net i) v s i) t) then true else false) units)
      as [d [d_pos near]].
    - intros i _.
      destruct (together (fun t s => 0 < s -> pre_activation (moved_unit (unit net i) v s i) t <> 0 ->
        mode_of v i t = if Rlt_dec 0 (pre_activation (moved_unit (unit net i) v s i) t) then true else false) x)
        as [d [d_pos near]]; [|exists d; split; [easy|]; intros s small t Ht; now apply near].
      intros t _.
      assert (forall s, pre_activation (moved_unit (unit net i) v s i) t = z i t + s * (t * v (W1 i) + v (B1 i)))
        as moved
        by (intros; unfold pre_activation; simpl; ring).
      unfold mode_of. destruct (Req_dec (z i t) 0) as [zero|off].
      + exists 1. split; [lra|]. intros s _ s_pos. rewrite moved, zero. intros nonzero.
        destruct (Rlt_dec 0 0); [lra|]. set (y := t * v (W1 i) + v (B1 i)) in *.
        destruct (Rlt_dec 0 y), (Rlt_dec 0 (0 + s * y)); try easy; exfalso; nra.
      + destruct (keeps_sign (z i t) (t * v (W1 i) + v (B1 i)) off) as [d [d_pos same]]. exists d. split; [easy|].
        intros s small s_pos. specialize (same s small). rewrite moved. intros _.
        set (y := z i t + s * (t * v (W1 i) + v (B1 i))) in *.
        destruct (Rlt_dec 0 (z i t)), (Rlt_dec (z i t) 0), (Rlt_dec 0 y); try easy; exfalso; nra.
    - exists d. split; [easy|]. intros i t Hi Ht s [s_pos small]. apply near; try easy. now rewrite Rabs_pos_eq by lra.
  Qed.

  (* Where no unit toggles the gradient is that of two_layer.v. *)
  Lemma mode_gradient_is_gradient m i t :
    is_mode m -> In i units -> In t x -> z i t <> 0 ->
    mode_gradient m t (W1 i) = gradient net t (W1 i) /\ mode_gradient m t (B1 i) = gradient net t (B1 i)
    /\ mode_gradient m t (W2 i) = gradient net t (W2 i).
  Proof.
    intros Hm Hi Ht off. destruct (Hm i t Hi Ht) as [above below]. simpl. unfold active.
    destruct (Rlt_dec 0 (z i t)) as [pos|neg].
    - rewrite above, relu_pos by lra. repeat split; ring.
    - rewrite below, relu_neg by lra. repeat split; ring.
  Qed.

  (* ** B4: two modes differ in two entries a toggling unit, each on its one sample. *)

  Lemma weights_within C i t :
    gradients_within C -> In i units -> In t x -> z i t = 0 ->
    Rabs (w2 (unit net i) * t) <= C /\ Rabs (w2 (unit net i)) <= C.
  Proof.
    intros within Hi Ht zero. set (m := fun i t => if Rle_dec 0 (z i t) then true else false).
    assert (is_mode m) as mode by (intros j s _ _; unfold m; destruct (Rle_dec 0 (z j s)); split; lra || easy).
    assert (m i t = true) as on by (unfold m; destruct (Rle_dec 0 (z i t)); [easy|lra]).
    assert (In (W1 i) coordinates /\ In (B1 i) coordinates) as [is_w is_b].
    { unfold parameters. split; apply in_or_app; left; apply in_flat_map; exists i; simpl; auto. }
    pose proof (within m t (W1 i) mode Ht is_w) as first. pose proof (within m t (B1 i) mode Ht is_b) as second.
    simpl in first, second. now rewrite on in first, second.
  Qed.

  (* A unit that is not idle toggles on at most one data point. *)
  Lemma toggles_once i (data : list R) :
    NoDup data -> w1 (unit net i) <> 0 \/ b1 (unit net i) <> 0 ->
    sum (fun t => if toggles i t then 1 else 0) data <= 1.
  Proof.
    intros distinct not_idle. induction distinct as [|t data fresh distinct IH]; simpl; [lra|].
    unfold toggles at 1. destruct (Req_EM_T (z i t) 0) as [zero|]; [|lra].
    rewrite sum_zero; [lra|]. intros s Hs. unfold toggles. destruct (Req_EM_T (z i s) 0) as [zero'|]; [exfalso|easy].
    unfold pre_activation in zero, zero'. apply fresh.
    destruct (Req_dec (w1 (unit net i)) 0) as [flat|steep].
    - rewrite flat in *. destruct not_idle; lra.
    - replace t with s; [easy|]. apply (Rmult_eq_reg_l (w1 (unit net i))); lra.
  Qed.

  (* Only toggling units change. *)
  Lemma change_of_mode U V v t :
    is_mode U -> is_mode V -> In t x ->
    along V v t - along U v t
    = sum (fun i => along_unit V v t i - along_unit U v t i) (filter (fun i => toggles i t) units).
  Proof.
    intros HU HV Ht. rewrite !along_units, sum_filter.
    replace (sum (along_unit V v t) units + v B2 - (sum (along_unit U v t) units + v B2))
      with (sum (along_unit V v t) units - sum (along_unit U v t) units) by ring.
    rewrite <- sum_minus. apply sum_eq. intros i Hi. unfold toggles. destruct (Req_EM_T (z i t) 0) as [|moved]; [easy|].
    destruct (HU i t Hi Ht), (HV i t Hi Ht). unfold along_unit.
    destruct (Rdichotomy _ _ moved); [rewrite H0, H2|rewrite H, H1]; lra.
  Qed.

  Lemma no_idle_at_rest v : no_idle_unit -> idle_at_rest v.
  Proof. intros not_idle i Hi. left. now apply not_idle. Qed.

  Lemma feature_change_along (C : R) (p : nat) U V v :
    NoDup x -> idle_at_rest v -> gradients_within C -> toggling_at_most p -> is_mode U -> is_mode V ->
    sum (fun t => (along V v t - along U v t) * (along V v t - along U v t)) x
    <= 2 * C ^ 2 * INR p * dot coordinates v v.
  Proof.
    intros distinct not_idle within few HU HV.
    set (size := fun i => v (W1 i) * v (W1 i) + v (B1 i) * v (B1 i)).
    assert (forall i, 0 <= size i) as size_pos by (intros; unfold size; nra).
    apply Rle_trans with (sum (fun t => 2 * C ^ 2 * INR p * sum (fun i => if toggles i t then size i else 0) units) x).
    - apply sum_le. intros t Ht. rewrite change_of_mode by easy. eapply Rle_trans; [apply sum_sq_le|].
      rewrite <- sum_filter. set (T := filter (fun i => toggles i t) units).
      assert (sum (fun i => (along_unit V v t i - along_unit U v t i) * (along_unit V v t i - along_unit U v t i)) T
        <= 2 * C ^ 2 * sum size T) as each.
      { rewrite <- sum_scal. apply sum_le. intros i Hi. apply filter_In in Hi as [Hi zero]. unfold toggles in zero.
        destruct (Req_EM_T (z i t) 0) as [zero'|]; [|easy].
        destruct (weights_within C i t within Hi Ht zero') as [first second].
        assert ((along_unit V v t i - along_unit U v t i) * (along_unit V v t i - along_unit U v t i)
          <= (w2 (unit net i) * (t * v (W1 i) + v (B1 i))) * (w2 (unit net i) * (t * v (W1 i) + v (B1 i)))) as one.
        { unfold along_unit. rewrite zero', Rmult_0_l. set (y := w2 (unit net i) * (t * v (W1 i) + v (B1 i))).
          pose proof (Rle_0_sqr y) as sq. unfold Rsqr in sq. destruct (V i t), (U i t); lra. }
        eapply Rle_trans; [exact one|]. unfold size.
        set (a := w2 (unit net i) * t) in *. set (b := w2 (unit net i)) in *.
        replace (b * (t * v (W1 i) + v (B1 i))) with (a * v (W1 i) + b * v (B1 i)) by (unfold a, b; ring).
        apply abs_square in first, second.
        set (c := v (W1 i)). set (d := v (B1 i)).
        assert ((a * c + b * d) * (a * c + b * d) <= 2 * ((a * a) * (c * c) + (b * b) * (d * d)))
          by (pose proof (Rle_0_sqr (a * c - b * d)) as sq; unfold Rsqr in sq; lra).
        assert (a * a * (c * c) <= C ^ 2 * (c * c)) by (apply Rmult_le_compat_r; [apply Rle_0_sqr|easy]).
        assert (b * b * (d * d) <= C ^ 2 * (d * d)) by (apply Rmult_le_compat_r; [apply Rle_0_sqr|easy]). lra. }
      pose proof (le_INR _ _ (few t Ht)) as few'. fold T in few'.
      assert (0 <= sum size T) by (apply sum_nonneg; easy). pose proof (pos_INR (length T)).
      apply Rle_trans with (INR (length T) * (2 * C ^ 2 * sum size T)); [now apply Rmult_le_compat_l|].
      replace (2 * C ^ 2 * INR p * sum size T) with (INR p * (2 * C ^ 2 * sum size T)) by ring.
      apply Rmult_le_compat_r; [|easy]. apply Rmult_le_pos; [|easy]. pose proof (pow2_ge_0 C). lra.
    - rewrite sum_scal. apply Rmult_le_compat_l.
      { apply Rmult_le_pos; [pose proof (pow2_ge_0 C); lra|apply pos_INR]. }
      rewrite sum_swap. unfold dot. rewrite sum_parameters.
      apply Rle_trans with (sum size units).
      + apply sum_le. intros i Hi.
        rewrite (sum_eq _ (fun t => size i * (if toggles i t then 1 else 0)))
          by (intros t _; destruct (toggles i t); ring).
        rewrite sum_scal. destruct (not_idle i Hi) as [moves|[still still']].
        * rewrite <- (Rmult_1_r (size i)) at 2. apply Rmult_le_compat_l; [easy|]. now apply toggles_once.
        * assert (size i = 0) as -> by (unfold size; rewrite still, still'; ring). lra.
      + assert (sum size units <= sum (fun i => v (W1 i) * v (W1 i) + v (B1 i) * v (B1 i) + v (W2 i) * v (W2 i)) units)
          by (apply sum_le; intros; unfold size; nra). nra.
  Qed.

  (* B4: "||Phi_m' - Phi_m||^2 <= 2 C^2 p_max", as a bound on (Phi_m' - Phi_m)^T v. *)
  Theorem feature_change (C : R) (p : nat) U V v :
    NoDup x -> no_idle_unit -> gradients_within C -> toggling_at_most p -> is_mode U -> is_mode V ->
    sum (fun t => (along V v t - along U v t) * (along V v t - along U v t)) x
    <= 2 * C ^ 2 * INR p * dot coordinates v v.
  Proof. intros distinct not_idle. apply feature_change_along; [easy|]. now apply no_idle_at_rest. Qed.

  (* ** Lengths in the space of the data, ||u|| = norm x u. *)

  Lemma norm_le_root (data : list R) (u : R -> R) (s c : R) :
    0 <= c -> dot data u u <= s * (c * c) -> norm data u <= sqrt s * c.
  Proof.
    intros c_pos bound. unfold norm. destruct (Rle_dec 0 s) as [s_pos|s_neg].
    - rewrite <- (sqrt_square c) at 1 by easy. rewrite <- sqrt_mult_alt by easy. now apply sqrt_le_1_alt.
    - assert (dot data u u = 0) as -> by (pose proof (dot_pos data u); nra). rewrite sqrt_0.
      apply Rmult_le_pos; [apply sqrt_pos|easy].
  Qed.

  Lemma along_norm m v c :
    x <> [] -> quadratic coordinates (hessian_on x m) v <= c * dot coordinates v v ->
    norm x (along m v) <= sqrt (INR (length x) * c) * norm coordinates v.
  Proof.
    intros nonempty bound. apply norm_le_root; [apply norm_pos|]. rewrite norm_sq.
    rewrite quadratic_hessian in bound. pose proof (length_pos x nonempty).
    change (dot x (along m v) (along m v)) with (sum (fun t => along m v t * along m v t) x).
    unfold mean in bound. set (s := sum (fun t => along m v t * along m v t) x) in *.
    replace s with (INR (length x) * (s / INR (length x))) by (field; lra).
    rewrite Rmult_assoc. apply Rmult_le_compat_l; lra.
  Qed.

  Lemma change_norm (C : R) (p : nat) U V v :
    NoDup x -> idle_at_rest v -> gradients_within C -> toggling_at_most p -> is_mode U -> is_mode V ->
    norm x (fun t => along V v t - along U v t) <= sqrt (2 * C ^ 2 * INR p) * norm coordinates v.
  Proof.
    intros. apply norm_le_root; [apply norm_pos|]. rewrite norm_sq. now apply feature_change_along.
  Qed.

  (* Lemma 5, eq 33, repaired and sharpened (M7.a): for (lambda, q) an eigenpair of the one Hessian, lambda' at least
     the top eigenvalue of the other, "||H' q - lambda q|| <= sqrt(2) C (sqrt(lambda) + sqrt(lambda')) sqrt(p_max/n)
     ||q||". *)
  Theorem top_eigenvector_nearly_shared (C lambda lambda' : R) (p : nat) U V q :
    x <> [] -> NoDup x -> no_idle_unit -> gradients_within C -> toggling_at_most p -> is_mode U -> is_mode V ->
    0 <= C -> 0 <= lambda -> 0 <= lambda' ->
    (forall r, In r coordinates -> apply coordinates (hessian_on x U) q r = lambda * q r) ->
    lambda_max_at_most coordinates lambda' (hessian_on x V) ->
    norm coordinates (fun r => apply coordinates (hessian_on x V) q r - lambda * q r)
    <= sqrt 2 * C * (sqrt lambda + sqrt lambda') * sqrt (INR p / INR (length x)) * norm coordinates q.
  Proof.
    intros nonempty distinct not_idle within few HU HV C_pos lambda_pos lambda'_pos eigen top.
    pose proof (length_pos x nonempty) as n_pos. set (n := INR (length x)) in *.
    set (off := fun r => apply coordinates (hessian_on x V) q r - lambda * q r).
    set (change := fun v t => along V v t - along U v t).
    assert (forall u, dot coordinates u off = (dot x (along V u) (change q) + dot x (change u) (along U q)) / n)
      as split_up.
    { intros u. transitivity (dot coordinates u (apply coordinates (hessian_on x V) q)
        - dot coordinates u (apply coordinates (hessian_on x U) q)).
      - unfold dot. rewrite <- sum_minus. apply sum_eq. intros r Hr. unfold off. rewrite eigen by easy. ring.
      - rewrite !dot_hessian. unfold mean, dot, Rdiv. fold n. rewrite <- Rmult_minus_distr_r. f_equal.
        rewrite <- sum_minus, <- sum_plus. apply sum_eq. intros. unfold change. ring. }
    set (k := sqrt (2 * C ^ 2 * INR p)). assert (0 <= k) by apply sqrt_pos.
    assert (norm x (along U q) <= sqrt (n * lambda) * norm coordinates q) as one.
    { apply along_norm; [easy|]. apply Req_le. unfold quadratic, dot. rewrite <- sum_scal. apply sum_eq.
      intros r Hr. rewrite eigen by easy. ring. }
    assert (norm x (along V off) <= sqrt (n * lambda') * norm coordinates off) as two by (apply along_norm; easy).
    pose proof (change_norm C p U V q distinct (no_idle_at_rest q not_idle) within few HU HV) as three.
    fold (change q) k in three.
    pose proof (change_norm C p U V off distinct (no_idle_at_rest off not_idle) within few HU HV) as four.
    fold (change off) k in four.
    assert (norm coordinates off * norm coordinates off
      <= norm coordinates off * ((sqrt (n * lambda') * k + k * sqrt (n * lambda)) / n * norm coordinates q)) as squared.
    { rewrite norm_sq, split_up. pose proof (dot_norm x (along V off) (change q)) as a.
      pose proof (dot_norm x (change off) (along U q)) as b.
      pose proof (Rle_abs (dot x (along V off) (change q))). pose proof (Rle_abs (dot x (change off) (along U q))).
      assert (norm x (along V off) * norm x (change q)
        <= sqrt (n * lambda') * norm coordinates off * (k * norm coordinates q))
        by (apply Rmult_le_compat; try apply norm_pos; easy).
      assert (norm x (change off) * norm x (along U q)
        <= k * norm coordinates off * (sqrt (n * lambda) * norm coordinates q))
        by (apply Rmult_le_compat; try apply norm_pos; easy).
      replace (norm coordinates off * ((sqrt (n * lambda') * k + k * sqrt (n * lambda)) / n * norm coordinates q))
        with ((sqrt (n * lambda') * norm coordinates off * (k * norm coordinates q)
               + k * norm coordinates off * (sqrt (n * lambda) * norm coordinates q)) / n) by (field; lra).
      apply Rmult_le_compat_r; [apply Rlt_le, Rinv_0_lt_compat; easy|lra]. }
    replace (sqrt 2 * C * (sqrt lambda + sqrt lambda') * sqrt (INR p / n))
      with ((sqrt (n * lambda') * k + k * sqrt (n * lambda)) / n).
    - pose proof (norm_pos coordinates off) as [long|zero].
      + now apply (Rmult_le_reg_l (norm coordinates off)).
      + rewrite <- zero. repeat apply Rmult_le_pos; try apply norm_pos; [|apply Rlt_le, Rinv_0_lt_compat; easy].
        apply Rplus_le_le_0_compat; apply Rmult_le_pos; apply sqrt_pos.
    - pose proof (pos_INR p). unfold k. rewrite !sqrt_mult_alt by (try apply pow2_ge_0; lra || nra).
      rewrite sqrt_pow2 by easy. unfold Rdiv at 2. rewrite sqrt_mult_alt by easy. rewrite sqrt_inv.
      assert (0 < sqrt n) by now apply sqrt_lt_R0. rewrite <- (sqrt_sqrt n) at 3 by lra. field. lra.
  Qed.

  (* ** M8.a: q and -q lie in complementary modes. *)

  Definition complement (U : nat -> R -> bool) (i : nat) (t : R) : bool := if toggles i t then negb (U i t) else U i t.

  Lemma complement_is_mode U : is_mode U -> is_mode (complement U).
  Proof.
    intros HU i t Hi Ht. unfold complement, toggles. destruct (Req_EM_T (z i t) 0) as [zero|]; [lra|now apply HU].
  Qed.

  Lemma two_sides U v t :
    is_mode U -> In t x ->
    along (mode_of v) v t + along (mode_of (fun p => - v p)) v t = along U v t + along (complement U) v t.
  Proof.
    intros HU Ht. rewrite !along_units.
    enough (sum (along_unit (mode_of v) v t) units + sum (along_unit (mode_of (fun p => - v p)) v t) units
      = sum (along_unit U v t) units + sum (along_unit (complement U) v t) units) by lra.
    rewrite <- !sum_plus. apply sum_eq. intros i Hi. destruct (HU i t Hi Ht) as [on off].
    unfold along_unit, complement, toggles, mode_of.
    destruct (Rlt_dec 0 (z i t)), (Rlt_dec (z i t) 0), (Req_EM_T (z i t) 0) as [zero|];
      try lra; try (rewrite on by easy; ring); try (rewrite off by easy; ring).
    rewrite zero. destruct (U i t), (Rlt_dec 0 (t * v (W1 i) + v (B1 i))), (Rlt_dec 0 (t * - v (W1 i) + - v (B1 i)));
      simpl; try lra; replace (t * v (W1 i) + v (B1 i)) with 0 by lra; ring.
  Qed.

  Lemma mode_of_scale s v i t : 0 < s -> mode_of (fun p => s * v p) i t = mode_of v i t.
  Proof.
    intros s_pos. unfold mode_of. destruct (Rlt_dec 0 (z i t)), (Rlt_dec (z i t) 0); try easy.
    destruct (Rlt_dec 0 (t * (s * v (W1 i)) + s * v (B1 i))) as [a|a], (Rlt_dec 0 (t * v (W1 i) + v (B1 i))) as [b|b];
      try easy; exfalso.
    - apply b. apply (Rmult_lt_reg_l s); lra.
    - apply a. replace (t * (s * v (W1 i)) + s * v (B1 i)) with (s * (t * v (W1 i) + v (B1 i))) by ring.
      now apply Rmult_lt_0_compat.
  Qed.

  Lemma quadratic_draws batches m v :
    fair_batches batches ->
    quadratic coordinates (mode_hessian (network_draws batches) m) v = quadratic coordinates (hessian_on x m) v.
  Proof.
    intros fair. apply sum_eq. intros p _. f_equal. apply sum_eq. intros q _. f_equal.
    unfold mode_hessian, mean_hessian, network_draws, mean at 1. rewrite map_length, sum_map.
    apply (fair (fun t => mode_gradient m t p * mode_gradient m t q)).
  Qed.

  (* Strong stability (Definition 2) bounds v^T H_m v for the mode m that theta* + v lies in. *)
  Lemma stable_curvature (eps eta : R) batches v :
    0 < eps -> 0 < eta -> batches <> [] -> fair_batches batches ->
    eps_strongly_stable coordinates mode_of (network_draws batches) eps eta ->
    quadratic coordinates (hessian_on x (mode_of v)) v <= 2 / eta * dot coordinates v v.
  Proof.
    intros eps_pos eta_pos nonempty fair stable.
    destruct (norm_pos coordinates v) as [long|zero].
    - pose proof (strongly_stable_curvature coordinates mode_of (network_draws batches) eps eta v eps_pos eta_pos long)
        as bound.
      rewrite quadratic_draws in bound by easy.
      replace (quadratic coordinates (hessian_on x (mode_of v)) v)
        with (quadratic coordinates (hessian_on x (mode_of (fun p => eps * (/ norm coordinates v * v p)))) v).
      + apply bound; [| |easy].
        * intros E. apply map_eq_nil in E. easy.
        * intros b p Hb. apply in_map_iff in Hb as [data [<- _]]. reflexivity.
      + rewrite !quadratic_hessian. apply mean_eq. intros t _.
        replace (along (mode_of (fun p => eps * (/ norm coordinates v * v p))) v t) with (along (mode_of v) v t);
          [easy|].
        rewrite !along_units. f_equal. apply sum_eq. intros i _. unfold along_unit.
        rewrite mode_of_scale by easy. rewrite mode_of_scale by (now apply Rinv_0_lt_compat). reflexivity.
    - assert (dot coordinates v v = 0) as still by (rewrite <- norm_sq, <- zero; ring).
      rewrite still, Rmult_0_r. apply Req_le. apply sum_zero. intros p Hp.
      assert (v p * v p = 0) as square by (now apply (sum_zero_inv (fun p => v p * v p) coordinates); [intros; nra| |]).
      assert (v p = 0) as -> by nra. ring.
  Qed.

  (* eta q^T H q <= 2, q = v/||v||, H the Hessian of the mode that theta* + v lies in: a first step from there that is no
     longer has it. *)
  Definition step_no_longer (eta : R) (v : parameter -> R) : Prop :=
    eta * quadratic coordinates (hessian_on x (mode_of v)) v <= 2 * dot coordinates v v.

  Lemma stable_step (eps eta : R) batches v :
    0 < eps -> 0 < eta -> batches <> [] -> fair_batches batches ->
    eps_strongly_stable coordinates mode_of (network_draws batches) eps eta -> step_no_longer eta v.
  Proof.
    intros eps_pos eta_pos some fair stable. unfold step_no_longer.
    replace (2 * dot coordinates v v) with (eta * (2 / eta * dot coordinates v v)) by (field; lra).
    apply Rmult_le_compat_l; [lra|]. now apply (stable_curvature eps eta batches).
  Qed.

  (* Both steps, from v and from -v, are asked, and no others. *)
  Lemma two_steps_along (C eta : R) (p : nat) U v :
    x <> [] -> NoDup x -> idle_at_rest v -> gradients_within C -> toggling_at_most p -> 0 <= C ->
    0 < eta -> step_no_longer eta v -> step_no_longer eta (fun r => - v r) -> is_mode U ->
    quadratic coordinates (hessian_on x U) v
    <= (sqrt (2 / eta) + C * sqrt (INR p / (2 * INR (length x)))) ^ 2 * dot coordinates v v.
  Proof.
    intros nonempty distinct not_idle within few C_pos eta_pos ahead back HU.
    assert (forall w, step_no_longer eta w ->
      quadratic coordinates (hessian_on x (mode_of w)) w <= 2 / eta * dot coordinates w w) as flat.
    { intros w step. unfold step_no_longer in step. apply (Rmult_le_reg_l eta); [easy|].
      replace (eta * (2 / eta * dot coordinates w w)) with (2 * dot coordinates w w) by (field; lra). easy. }
    pose proof (length_pos x nonempty) as n_pos. set (n := INR (length x)) in *. pose proof (pos_INR p).
    assert (0 < 2 / eta) by (apply Rdiv_lt_0_compat; lra).
    set (a := along (mode_of v) v). set (b := along (mode_of (fun p => - v p)) v).
    set (change := fun t => along (complement U) v t - along U v t). set (l := norm coordinates v).
    assert (norm x a <= sqrt (n * (2 / eta)) * l) as first.
    { apply along_norm; [easy|]. now apply flat. }
    assert (norm x b <= sqrt (n * (2 / eta)) * l) as second.
    { apply along_norm; [easy|]. set (w := fun p => - v p).
      assert (forall m, quadratic coordinates (hessian_on x m) w = quadratic coordinates (hessian_on x m) v) as even.
      { intros m. rewrite !quadratic_hessian. apply mean_eq. intros t _.
        replace (along m w t) with (- along m v t); [ring|]. unfold along, dot. rewrite <- sum_opp. apply sum_eq.
        intros. unfold w. ring. }
      rewrite <- even. replace (dot coordinates v v) with (dot coordinates w w)
        by (apply sum_eq; intros; unfold w; ring).
      now apply flat. }
    pose proof (change_norm C p U (complement U) v distinct not_idle within few HU (complement_is_mode U HU)) as third.
    fold change l in third.
    (* 2 Phi_U^T v = a + b - change *)
    assert (2 * norm x (along U v) <= norm x a + norm x b + norm x change) as triangle.
    { apply Rle_trans with (norm x (fun t => (a t + b t) + - change t)).
      - replace (2 * norm x (along U v)) with (norm x (fun t => 2 * along U v t)).
        + apply Req_le. unfold norm, dot. f_equal. apply sum_eq. intros t Ht.
          pose proof (two_sides U v t HU Ht) as both. fold a b in both. fold (a t) (b t) in both. rewrite both.
          unfold change. ring.
        + unfold norm. rewrite dot_scal, dot_comm, dot_scal, <- Rmult_assoc, sqrt_mult_alt, sqrt_square by lra.
          reflexivity.
      - eapply Rle_trans; [apply minkowski|]. apply Rplus_le_compat; [apply minkowski|].
        apply Req_le. unfold norm, dot. f_equal. apply sum_eq. intros. ring. }
    assert (norm x (along U v) <= sqrt n * (sqrt (2 / eta) + C * sqrt (INR p / (2 * n))) * l) as all.
    { replace (sqrt n * (sqrt (2 / eta) + C * sqrt (INR p / (2 * n))) * l)
        with (sqrt (n * (2 / eta)) * l + sqrt (2 * C ^ 2 * INR p) * l / 2); [lra|].
      rewrite (sqrt_mult_alt n) by lra.
      replace (sqrt (2 * C ^ 2 * INR p)) with (2 * (sqrt n * (C * sqrt (INR p / (2 * n))))); [field|].
      replace (2 * C ^ 2 * INR p) with ((2 * C) ^ 2 * (n * (INR p / (2 * n)))) by (field; lra).
      rewrite sqrt_mult_alt, sqrt_pow2, (sqrt_mult_alt n) by (try apply pow2_ge_0; lra). ring. }
    set (s := sqrt (2 / eta) + C * sqrt (INR p / (2 * n))) in *.
    rewrite quadratic_hessian. unfold mean. fold n.
    change (sum (fun t => along U v t * along U v t) x) with (dot x (along U v) (along U v)). rewrite <- norm_sq.
    rewrite <- (norm_sq coordinates v). fold l.
    assert (norm x (along U v) * norm x (along U v) <= sqrt n * s * l * (sqrt n * s * l))
      by (apply Rmult_le_compat; try apply norm_pos; easy).
    replace (sqrt n * s * l * (sqrt n * s * l)) with (sqrt n * sqrt n * (s ^ 2 * (l * l))) in * by ring.
    rewrite sqrt_sqrt in * by lra. apply (Rmult_le_reg_l n); [easy|]. unfold Rdiv.
    replace (n * (norm x (along U v) * norm x (along U v) * / n)) with (norm x (along U v) * norm x (along U v))
      by (field; lra).
    easy.
  Qed.

  Lemma strongly_stable_along (C eps eta : R) (p : nat) batches U v :
    x <> [] -> NoDup x -> idle_at_rest v -> gradients_within C -> toggling_at_most p -> 0 <= C ->
    0 < eps -> 0 < eta -> batches <> [] -> fair_batches batches ->
    eps_strongly_stable coordinates mode_of (network_draws batches) eps eta -> is_mode U ->
    quadratic coordinates (hessian_on x U) v
    <= (sqrt (2 / eta) + C * sqrt (INR p / (2 * INR (length x)))) ^ 2 * dot coordinates v v.
  Proof.
    intros. apply two_steps_along; try easy; now apply (stable_step eps eta batches).
  Qed.

  (* mulayoff2021, eq 35, proved otherwise and sharpened (M8.a), of one direction: only a step from v and one from -v are
     asked not to lengthen, and v^T H_m v is bounded in every mode. *)
  Theorem two_steps_sharpness (C eta : R) (p : nat) U v :
    x <> [] -> NoDup x -> no_idle_unit -> gradients_within C -> toggling_at_most p -> 0 <= C ->
    0 < eta -> step_no_longer eta v -> step_no_longer eta (fun r => - v r) -> is_mode U ->
    quadratic coordinates (hessian_on x U) v
    <= (sqrt (2 / eta) + C * sqrt (INR p / (2 * INR (length x)))) ^ 2 * dot coordinates v v.
  Proof. intros. apply two_steps_along; try easy. now apply no_idle_at_rest. Qed.

  (* mulayoff2021, eq 35, proved otherwise and sharpened (M8.a): "theta* strongly stable, no unit with w1 = b1 = 0 =>
     sqrt(lambda_up) <= sqrt(2/eta) + C sqrt(p_max/(2n))", under SGD at interpolation, full batch or not. *)
  Theorem strongly_stable_sharpness (C eps eta : R) (p : nat) batches U :
    x <> [] -> NoDup x -> no_idle_unit -> gradients_within C -> toggling_at_most p -> 0 <= C ->
    0 < eps -> 0 < eta -> batches <> [] -> fair_batches batches ->
    eps_strongly_stable coordinates mode_of (network_draws batches) eps eta -> is_mode U ->
    lambda_max_at_most coordinates ((sqrt (2 / eta) + C * sqrt (INR p / (2 * INR (length x)))) ^ 2) (hessian_on x U).
  Proof.
    intros nonempty distinct not_idle within few C_pos eps_pos eta_pos some fair stable HU v.
    apply (strongly_stable_along C eps eta p batches); try easy. now apply no_idle_at_rest.
  Qed.

  Lemma printed_bound_is_no_smaller (C eta : R) (p : nat) :
    x <> [] -> 0 <= C -> 0 < eta ->
    (sqrt (2 / eta) + C * sqrt (INR p / (2 * INR (length x)))) ^ 2 <= printed_bound eta C (INR p) (INR (length x)).
  Proof.
    intros nonempty C_pos eta_pos.
    pose proof (length_pos x nonempty) as n_pos. set (n := INR (length x)) in *. pose proof (pos_INR p).
    assert (0 <= INR p / n) as r_pos by (apply Rmult_le_pos; [easy|apply Rlt_le, Rinv_0_lt_compat; easy]).
    assert (0 < 2 / eta) as edge by (apply Rdiv_lt_0_compat; lra).
    unfold printed_bound. replace (INR p / (2 * n)) with (INR p / n / 2) by (field; lra).
    set (r := INR p / n) in *. set (e := 2 / eta) in *.
    assert (0 <= C ^ 2) by apply pow2_ge_0. assert (0 <= C ^ 2 * r) by now apply Rmult_le_pos.
    assert (2 * (sqrt e * sqrt (r / 2)) <= sqrt (3 * r * (3 * C ^ 2 * r + e))) as cross.
    { rewrite <- sqrt_mult_alt by lra.
      replace (2 * sqrt (e * (r / 2))) with (sqrt (2 * 2 * (e * (r / 2)))) by (rewrite sqrt_mult_alt, sqrt_square; lra).
      apply sqrt_le_1_alt. assert (0 <= r * (C ^ 2 * r)) by now apply Rmult_le_pos.
      assert (0 <= r * e) by (apply Rmult_le_pos; lra). lra. }
    assert (C * (2 * (sqrt e * sqrt (r / 2))) <= C * sqrt (3 * r * (3 * C ^ 2 * r + e))) by now apply Rmult_le_compat_l.
    replace ((sqrt e + C * sqrt (r / 2)) ^ 2)
      with (sqrt e * sqrt e + C ^ 2 * (sqrt (r / 2) * sqrt (r / 2)) + C * (2 * (sqrt e * sqrt (r / 2)))) by ring.
    rewrite !sqrt_sqrt by lra. lra.
  Qed.

  (* mulayoff2021, section 4.2, eq 35 (M8), as printed: true all the same, "lambda_up <= 2/eta + 3 C^2 p_max/n +
     C sqrt(3 (p_max/n) (3 C^2 p_max/n + 2/eta))" where no unit has w1 = b1 = 0. *)
  Theorem printed_sharpness_bound (C eps eta : R) (p : nat) batches U :
    x <> [] -> NoDup x -> no_idle_unit -> gradients_within C -> toggling_at_most p -> 0 <= C ->
    0 < eps -> 0 < eta -> batches <> [] -> fair_batches batches ->
    eps_strongly_stable coordinates mode_of (network_draws batches) eps eta -> is_mode U ->
    lambda_max_at_most coordinates (printed_bound eta C (INR p) (INR (length x))) (hessian_on x U).
  Proof.
    intros nonempty distinct not_idle within few C_pos eps_pos eta_pos some fair stable HU v.
    eapply Rle_trans; [now apply (strongly_stable_sharpness C eps eta p batches U)|].
    apply Rmult_le_compat_r; [apply dot_pos|now apply printed_bound_is_no_smaller].
  Qed.

  (* The same of one direction, two steps being asked not to lengthen. *)
  Theorem printed_two_steps_bound (C eta : R) (p : nat) U v :
    x <> [] -> NoDup x -> no_idle_unit -> gradients_within C -> toggling_at_most p -> 0 <= C ->
    0 < eta -> step_no_longer eta v -> step_no_longer eta (fun r => - v r) -> is_mode U ->
    quadratic coordinates (hessian_on x U) v <= printed_bound eta C (INR p) (INR (length x)) * dot coordinates v v.
  Proof.
    intros. eapply Rle_trans; [now apply (two_steps_sharpness C eta p U)|].
    apply Rmult_le_compat_r; [apply dot_pos|now apply printed_bound_is_no_smaller].
  Qed.
End Network.

(* Batches of B drawn without replacement weigh all samples alike, so the theorems speak of them; B = n is gradient
   descent. *)
Lemma all_batches_fair x B : (1 <= B <= length x)%nat -> batches B x <> [] /\ fair_batches x (batches B x).
Proof. intros size. split; [apply batches_exist; lia|]. intros F. now apply mean_of_batches. Qed.

(* Strong stability can be had: with a step size that is small enough for every mode gradient descent has it. *)
Lemma small_steps_are_strongly_stable net x eps eta :
  x <> [] -> 0 < eta -> (forall m, lambda_max_at_most (parameters net) (2 / eta) (hessian_on net x m)) ->
  eps_strongly_stable (parameters net) (mode_of net) (network_draws net [x]) eps eta.
Proof.
  intros nonempty eta_pos flat. change (network_draws net [x]) with (descent_draws (hessian_on net x)).
  apply flat_modes_strongly_stable; try easy.
  - intros m p q _ _. apply mean_eq. intros. ring.
  - intros m v. rewrite quadratic_hessian. apply mean_nonneg; [easy|]. intros. nra.
Qed.
